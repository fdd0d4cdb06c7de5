using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// The inner products of the models' task vectors θ_i − θ_0 over all merged tensors: what distances and angles between
/// ingredients follow from.
/// </summary>
/// <param name="Products">K×K, entry (i, j) = Σ Δ_i·Δ_j, float64.</param>
/// <param name="HasBase">Whether θ_0 is the plan's base; otherwise it is the first model.</param>
/// <param name="TensorsLeftOut">Merged tensors that not every model takes part in.</param>
internal sealed record IngredientGram(Matrix Products, bool HasBase, int TensorsLeftOut)
{
    // What a sum of products holds while a segment is under way; see SumReduction.
    private const long BytesAPair = 40_000;

    /// <summary>
    /// Streams the models once, or, where so many pairs do not fit the budget, once for every part of them.
    /// </summary>
    public static IngredientGram Of(
        MergePlan plan, RunSettings settings, RunProgress progress, CancellationToken cancellation)
    {
        TensorPlan[] merged = [.. plan.Tensors.Where(t => !t.IsCopied && t.Info.Count > 0)];
        TensorPlan[] shared = [.. merged.Where(t => t.Models.Length == plan.Models.Count)];
        var sum = new SumInOrder(plan.Models.Count);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var context = new RunContext
        {
            Method = "the distances between ingredients",
            Seed = 0,
            Settings = settings,
            Checksums = new Checksums(),
            Progress = progress,
        };
        new Scheduler(settings.Threads, stop).Run(shared.Select((tensor, i) => new Job(
            context, tensor with { Base = tensor.Base ?? tensor.Models[0], Sides = [] }, gram => sum.Add(i, gram))));
        return new(sum.Total, plan.Base is not null, merged.Length - shared.Length);
    }

    // Tensors are finished in any order and added in the plan's, so that the bits do not depend on threads.
    private sealed class SumInOrder(int models)
    {
        private readonly Dictionary<int, Matrix> _waiting = [];
        private int _next;

        public Matrix Total { get; } = new(models, models);

        public void Add(int tensor, Matrix gram)
        {
            lock (_waiting)
            {
                _waiting.Add(tensor, gram);
                for (; _waiting.Remove(_next, out var next); _next++)
                {
                    for (var i = 0; i < models; i++)
                    {
                        for (var j = 0; j < models; j++)
                            Total[i, j] += next[i, j];
                    }
                }
            }
        }
    }

    private sealed class Job : IJob
    {
        private readonly RunContext _context;
        private readonly TensorPlan _plan;
        private readonly Action<Matrix> _report;
        private readonly Queue<(int I, int J)[]> _rounds;
        private readonly Matrix _gram;
        private (int I, int J)[] _round = [];
        private Stat<double[]>? _products;
        private TensorStatistics? _statistics;

        public Job(RunContext context, TensorPlan plan, Action<Matrix> report)
        {
            (_context, _plan, _report) = (context, plan, report);
            var models = plan.Models.Length;
            _gram = new Matrix(models, models);
            var atOnce = Math.Max(context.Settings.Memory / context.Settings.Threads / 2 / BytesAPair, 1);
            _rounds = new((from i in Enumerable.Range(0, models) from j in Enumerable.Range(0, i + 1) select (i, j))
                .Chunk((int)Math.Min(atOnce, int.MaxValue)));
        }

        public Phase? Next()
        {
            while (true)
            {
                if (_statistics?.Next() is { } sweep)
                    return new SweepPhase(_context, _plan, sweep);
                if (_statistics is not null)
                    Take();
                if (!_rounds.TryDequeue(out _round!))
                    break;
                Ask();
            }
            _report(_gram);
            _context.Progress.FinishedTensor();
            return null;
        }

        private void Ask()
        {
            var scan = new ScanOf(_context, _plan);
            _products = Stat.All(_round.Select(pair => scan.Tensor.Dot(x => x.Deltas[pair.I], x => x.Deltas[pair.J])));
            _statistics = scan.TakePending();
        }

        private void Take()
        {
            _statistics!.Complete();
            _statistics = null;
            foreach (var ((i, j), product) in _round.Zip(_products!.GetAwaiter().GetResult()))
                _gram[i, j] = _gram[j, i] = product;
        }
    }
}

using Merge.Checkpoints;
using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>How far apart two checkpoints' values of one tensor are.</summary>
/// <param name="Name">The tensor.</param>
/// <param name="Count">Its number of elements.</param>
/// <param name="NormA">‖a‖₂.</param>
/// <param name="NormB">‖b‖₂.</param>
/// <param name="NormDifference">‖b − a‖₂.</param>
/// <param name="Cosine">a·b / (‖a‖‖b‖); NaN where either is zero.</param>
internal sealed record TensorComparison(
    string Name, long Count, double NormA, double NormB, double NormDifference, double Cosine);

/// <summary>What two checkpoints share and where they differ.</summary>
/// <param name="OnlyA">Tensors only the first has.</param>
/// <param name="OnlyB">Tensors only the second has.</param>
/// <param name="Shapes">Tensors both have, of different shape.</param>
/// <param name="DTypes">Tensors both have, stored differently.</param>
/// <param name="OtherBytes">Tensors of integers, bools or codes, stored alike, whose bytes differ.</param>
/// <param name="SameBytes">How many such tensors have the same bytes.</param>
/// <param name="Values">Tensors of numbers, in the first's order.</param>
internal sealed record CheckpointComparison(
    IReadOnlyList<string> OnlyA,
    IReadOnlyList<string> OnlyB,
    IReadOnlyList<(TensorSource A, TensorSource B)> Shapes,
    IReadOnlyList<(TensorSource A, TensorSource B)> DTypes,
    IReadOnlyList<string> OtherBytes,
    int SameBytes,
    IReadOnlyList<TensorComparison> Values)
{
    /// <summary>Reads both once, streamed.</summary>
    public static CheckpointComparison Of(
        Checkpoint a, Checkpoint b, RunSettings settings, RunProgress progress, CancellationToken cancellation)
    {
        var shared = a.Tensors.Values
            .Where(t => b.Tensors.ContainsKey(t.Name))
            .Select(t => (A: t, B: b.Tensors[t.Name]))
            .ToArray();
        var alike = shared.Where(t => t.A.Shape.AsSpan().SequenceEqual(t.B.Shape.AsSpan())).ToArray();
        var values = Measure(
            [.. alike.Where(t => t.A.DType.IsMergeable() && t.B.DType.IsMergeable())], settings, progress, cancellation);
        var codes = alike.Where(t => t.A.DType == t.B.DType && !t.A.DType.IsMergeable())
            .Select(t => (t.A.Name, Same: HaveSameBytes(t.A, t.B, cancellation)))
            .ToArray();
        return new(
            [.. a.Tensors.Keys.Except(b.Tensors.Keys)],
            [.. b.Tensors.Keys.Except(a.Tensors.Keys)],
            [.. shared.Except(alike)],
            [.. alike.Where(t => t.A.DType != t.B.DType)],
            [.. codes.Where(c => !c.Same).Select(c => c.Name)],
            codes.Count(c => c.Same),
            values);
    }

    private static bool HaveSameBytes(TensorSource a, TensorSource b, CancellationToken cancellation)
    {
        using var buffers = new Worker();
        for (long at = 0; at < a.Length;)
        {
            cancellation.ThrowIfCancellationRequested();
            var length = (int)Math.Min(1 << 20, a.Length - at);
            var ours = buffers.Input(0).Take(length);
            var theirs = buffers.Input(1).Take(length);
            a.Read(at, ours);
            b.Read(at, theirs);
            if (!ours.SequenceEqual(theirs))
                return false;
            at += length;
        }
        return true;
    }

    private static TensorComparison[] Measure(
        (TensorSource A, TensorSource B)[] pairs, RunSettings settings, RunProgress progress, CancellationToken cancellation)
    {
        var results = new TensorComparison?[pairs.Length];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var context = new RunContext
        {
            Method = "inspect",
            Seed = 0,
            Settings = settings,
            Checksums = new Checksums(),
            Progress = progress,
        };
        new Scheduler(settings.Threads, stop).Run(pairs.Select((pair, i) => new ComparisonJob(
            context, pair.A, pair.B, result => results[i] = result)));
        return [.. results.OfType<TensorComparison>()];
    }

    private sealed class ComparisonJob : IJob
    {
        private readonly RunContext _context;
        private readonly TensorPlan _plan;
        private readonly Action<TensorComparison> _report;
        private readonly Stat<Matrix> _gram;
        private readonly TensorStatistics? _statistics;

        public ComparisonJob(RunContext context, TensorSource a, TensorSource b, Action<TensorComparison> report)
        {
            _context = context;
            _report = report;
            _plan = new TensorPlan
            {
                Info = TensorNaming.Describe(a.Name, a.Shape),
                OutType = a.DType,
                Options = null,
                Models = [a, b],
                Base = null,
                Sides = [],
            };
            var scan = new ScanOf(context, _plan);
            _gram = scan.Tensor.Gram(x => [x.Models[0], x.Models[1], x.Models[1] - x.Models[0]]);
            _statistics = scan.TakePending();
        }

        public Phase? Next()
        {
            if (_plan.Info.Count > 0)
            {
                if (_statistics!.Next() is { } sweep)
                    return new SweepPhase(_context, _plan, sweep);
                _statistics.Complete();
            }
            var gram = _plan.Info.Count > 0 ? _gram.GetAwaiter().GetResult() : new Matrix(3, 3);
            var (a, b) = (Math.Sqrt(gram[0, 0]), Math.Sqrt(gram[1, 1]));
            _report(new(_plan.Info.Name, _plan.Info.Count, a, b, Math.Sqrt(gram[2, 2]), gram[0, 1] / (a * b)));
            _context.Progress.FinishedTensor();
            return null;
        }
    }
}

using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>
/// All pending statistics of surveys: those of the tensors and those of the whole model. Each round is one pass over
/// the tensors it names.
/// </summary>
internal sealed class ModelStatistics
{
    private readonly List<(TensorScan Scan, TensorStatistics Statistics)> _tensors = [];
    private readonly List<(ModelLargestRequest Request, ScoreSelection? Selection)> _requests = [];
    private bool _askedForSamples;
    private bool _begun;

    /// <summary>Takes what is pending: nothing is pending after.</summary>
    /// <param name="models">Surveys of the same tensors, through the same scans.</param>
    /// <param name="compiler">Makes the kernels.</param>
    /// <param name="inputType">Stored type of a streamed tensor.</param>
    /// <param name="seed">The recipe's.</param>
    /// <param name="substitute">See <see cref="Recording.Of"/>.</param>
    public ModelStatistics(
        IReadOnlyList<ModelScan> models,
        ICompiler compiler,
        Func<TensorScan, InputKey, DType> inputType,
        ulong seed,
        Func<TensorScan, InputKey, Node?>? substitute = null)
    {
        var shared = new Dictionary<TensorScan, List<(ScoreSelection, int, Node)>>();
        foreach (var request in models.SelectMany(m => m.Pending).Cast<ModelLargestRequest>())
        {
            var count = request.Scores.Sum(s => s.Tensor.Info.Count);
            if (request.Keep <= 0 || request.Keep >= count)
            {
                _requests.Add((request, null));
                continue;
            }
            var selection = new ScoreSelection(
                [(count - request.Keep, request.Keep)], [.. request.Scores.Select(s => s.Tensor.Info.Count)]);
            _requests.Add((request, selection));
            foreach (var (member, (tensor, score)) in request.Scores.Index())
            {
                if (!shared.TryGetValue(tensor, out var list))
                    shared[tensor] = list = [];
                list.Add((selection, member, score));
            }
        }
        foreach (var model in models)
            model.Pending.Clear();
        foreach (var scan in models[0].Scans)
        {
            var own = scan.Pending.ToArray();
            scan.Pending.Clear();
            var parts = shared.GetValueOrDefault(scan) ?? [];
            if (own.Length > 0 || parts.Count > 0)
            {
                Func<InputKey, Node?>? replace = substitute is null ? null : key => substitute(scan, key);
                _tensors.Add((scan, new(scan.Info, own, parts, compiler, key => inputType(scan, key), seed, replace)));
            }
        }
    }

    /// <summary>The sweeps of the next round, all to be run before the next call; null when all is known.</summary>
    public IReadOnlyList<(TensorScan Scan, TensorSweep Sweep)>? Next()
    {
        // A selection that needs no sample waits for those that take one: a tensor has one sweep a round.
        if (!_askedForSamples)
        {
            _askedForSamples = true;
            if (SweepsOf(s => s.Sample()) is { } samples)
                return samples;
        }
        foreach (var (_, selection) in _requests)
        {
            if (_begun || selection is { WantsSample: true })
                selection?.Advance();
        }
        _begun = true;
        return SweepsOf(s => s.Next());
    }

    /// <summary>Gives every statistic its value, which runs what waits for it.</summary>
    public void Complete()
    {
        foreach (var (_, statistics) in _tensors)
            statistics.Complete();
        foreach (var (request, selection) in _requests)
            request.Stat.Complete(CutOf(request, selection));
    }

    private List<(TensorScan Scan, TensorSweep Sweep)>? SweepsOf(Func<TensorStatistics, TensorSweep?> next)
    {
        var sweeps = new List<(TensorScan, TensorSweep)>();
        foreach (var (scan, statistics) in _tensors)
        {
            if (next(statistics) is { } sweep)
                sweeps.Add((scan, sweep));
        }
        return sweeps.Count == 0 ? null : sweeps;
    }

    private static ModelCut CutOf(ModelLargestRequest request, ScoreSelection? selection)
    {
        var all = request.Keep > 0 ? Cut.KeepAll : Cut.KeepNone;
        return new(
            selection?.Score(0) ?? all.Value,
            request.Scores.Index().ToDictionary(
                s => s.Item.Tensor.Info.Name, s => selection?.CutOf(0, s.Index) ?? all));
    }
}

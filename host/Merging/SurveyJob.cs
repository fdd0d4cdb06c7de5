using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>The survey: statistics of all tensors, one pass over the model for each await.</summary>
internal sealed class SurveyJob(MergeContext context) : IJob
{
    private readonly Dictionary<TensorScan, (TensorPlan Plan, ScanOf Scan)> _tensors = context.Plan.Tensors
        .Where(t => !t.IsCopied && t.Info.Count > 0)
        .OrderBy(t => t.Info.Name, StringComparer.Ordinal)
        .Select(t => (Plan: t, Scan: new ScanOf(context, t)))
        .ToDictionary(t => t.Scan.Tensor);

    private readonly Queue<SweepPhase> _round = new();
    private ModelScan? _model;
    private Task<object?>? _surveying;
    private ModelStatistics? _statistics;

    private MergeStrategy Strategy => context.Plan.Strategy;

    public Phase? Next()
    {
        _model ??= Strategy.CreateModelScan([.. _tensors.Select(t => (t.Key, t.Value.Plan.Options!))]);
        _surveying ??= StrategyCall.Run(Strategy, "survey", () => Strategy.SurveyModel(_model).AsTask());
        while (true)
        {
            if (_round.TryDequeue(out var phase))
                return phase;
            if (_statistics?.Next() is { } round)
            {
                foreach (var (scan, sweep) in round)
                    _round.Enqueue(new SweepPhase(context, _tensors[scan].Plan, sweep));
                continue;
            }
            _statistics?.Complete();
            _statistics = null;
            if (_surveying.IsCompleted)
            {
                StrategyCall.Rethrow(Strategy, "survey", _surveying);
                context.Survey = _surveying.Result;
                return null;
            }
            _statistics = TakePending() ?? throw StrategyCall.AwaitedSomethingElse(Strategy, "survey");
        }
    }

    private ModelStatistics? TakePending()
    {
        if (_model!.Pending.Count == 0 && _tensors.Keys.All(t => t.Pending.Count == 0))
            return null;
        return new ModelStatistics(
            _model,
            context.Compiler,
            (scan, key) => _tensors[scan].Scan.InputType(key),
            context.Seed,
            (scan, key) => _tensors[scan].Scan.Substitute(key));
    }
}

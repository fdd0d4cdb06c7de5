using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// One tensor from plan to written bytes: ask the strategy; sweep for what it awaits, as often as it awaits; then
/// write what it says.
/// </summary>
internal sealed class TensorJob(MergeContext context, TensorPlan plan) : IJob
{
    private readonly ScanOf _scan = new(context, plan);
    private Task<TensorMerge>? _planning;
    private TensorStatistics? _statistics;
    private OutputPhase? _output;

    public Phase? Next()
    {
        if (_output is not null || plan.Info.Count == 0)
        {
            context.Output.Finish(plan, _output?.Checksum ?? 0);
            context.Progress.FinishedTensor();
            _scan.Draws.Dispose();
            return null;
        }
        if (plan.IsCopied)
            return _output = Write(TensorMerge.Copy(0));
        if (Sweep() is { } sweep)
            return sweep;
        return _output = Write(_planning!.GetAwaiter().GetResult());
    }

    /// <summary>The next sweep the strategy waits for; null once it has said how to merge.</summary>
    private SweepPhase? Sweep()
    {
        _planning ??= StrategyCall.Run(context.Plan.Strategy, plan.Info.Name, () =>
            context.Plan.Strategy.PlanTensor(_scan.Tensor, plan.Options!, context.Survey).AsTask());
        while (true)
        {
            if (_statistics?.Next() is { } sweep)
                return new SweepPhase(context, _scan.Swept, sweep, _scan.Draws, _scan.Work);
            _statistics?.Complete();
            _statistics = null;
            if (_planning.IsCompleted)
            {
                StrategyCall.Rethrow(context.Plan.Strategy, plan.Info.Name, _planning);
                return null;
            }
            _statistics = _scan.TakePending() ?? throw StrategyCall.AwaitedSomethingElse(context.Plan.Strategy, plan.Info.Name);
        }
    }

    private OutputPhase Write(TensorMerge merge)
    {
        if (merge is null)
            throw StrategyCall.ReturnedNull(context.Plan.Strategy, plan.Info.Name);
        var lowered = StrategyCall.Run(
            context.Plan.Strategy, plan.Info.Name, () => Lowered.From(merge, plan, _scan.Tensor));
        return lowered.Copied is { } source
            ? new CopyPhase(context, plan, source)
            : new ExpressionPhase(context, plan, Recording.Of(plan.Info, [lowered.Value(_scan.Tensor)], _scan.Substitute), _scan.Draws);
    }
}

using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>Runs what awaits statistics of one tensor: gives the sweeps it waits for, one by one.</summary>
internal sealed class SweepPump(MergeContext context, TensorPlan plan, ScanOf scan)
{
    private TensorStatistics? _statistics;
    private bool _isLarge;

    /// <summary>The next sweep; null once the work is done.</summary>
    public SweepPhase? Next(Task work)
    {
        while (true)
        {
            if (_statistics?.Next() is { } sweep)
                return Admit(new SweepPhase(context, plan, sweep));
            _statistics?.Complete();
            _statistics = null;
            if (work.IsCompleted)
            {
                StrategyCall.Rethrow(context.Plan.Strategy, plan.Info.Name, work);
                return null;
            }
            _statistics = scan.TakePending() ?? throw StrategyCall.AwaitedSomethingElse(context.Plan.Strategy, plan.Info.Name);
        }
    }

    /// <summary>Lets another tensor hold much memory.</summary>
    public void Release()
    {
        if (_isLarge)
            context.LargeTensor.Release();
    }

    // Waits until no other tensor holds much memory, where this one is about to.
    private SweepPhase Admit(SweepPhase phase)
    {
        if (phase.IsLarge && !_isLarge)
        {
            context.LargeTensor.Wait(context.Stopped);
            _isLarge = true;
        }
        return phase;
    }
}

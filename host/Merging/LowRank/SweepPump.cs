using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>Runs what awaits statistics of one tensor: gives the sweeps it waits for, one by one.</summary>
internal sealed class SweepPump(MergeContext context, TensorPlan plan, ScanOf scan)
{
    // Of the budget: matrices of so much are freed at once where they are no longer needed, before others take their place.
    private const int SmallShare = 16;

    private TensorStatistics? _statistics;

    /// <summary>What the work holds beside its sweeps, from now on.</summary>
    public WorkMemory Work { get; set; }

    /// <summary>The next sweep; null once the work is done.</summary>
    public SweepPhase? Next(Task work)
    {
        while (true)
        {
            if (_statistics?.Next() is { } sweep)
                return new SweepPhase(context, scan.Swept, sweep, work: Work.Why is null ? scan.Work : Work);
            // What segments gathered goes before the matrices that are made of it, those before the next sweep's.
            Free();
            _statistics?.Complete();
            _statistics = null;
            Free();
            if (work.IsCompleted)
            {
                StrategyCall.Rethrow(context.Plan.Strategy, plan.Info.Name, work);
                return null;
            }
            _statistics = scan.TakePending() ?? throw StrategyCall.AwaitedSomethingElse(context.Plan.Strategy, plan.Info.Name);
        }
    }

    /// <summary>Gives back what is no longer referred to, where it is much.</summary>
    public void Free()
    {
        if (Work.Work > context.Settings.Memory / SmallShare)
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}

using System.Runtime.InteropServices;
using Host.Tests.Planning;
using Merge.Compute;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Host.Tests.Merging;

/// <summary>A finished run: what was written, found and checksummed.</summary>
internal sealed record Run(CollectingSink Sink, IReadOnlyList<Diagnostic> Findings, Checksums Checksums)
{
    public float[] Floats(string tensor) => MemoryMarshal.Cast<byte, float>(Sink.Bytes[tensor]).ToArray();
}

/// <summary>Runs of strategies of one lambda over checkpoints of a test.</summary>
internal static class Runs
{
    public static readonly RunSettings TwoThreads = new() { Threads = 2 };

    public static MergePlan Plan(MergeStrategy strategy, PlannedModel? theta0, params PlannedModel[] models) =>
        MergePlanner.Plan(Plans.Request(models) with
        {
            Strategy = strategy,
            Base = theta0,
            Donor = theta0 ?? models[0],
        });

    public static Run Of(MergePlan plan, RunSettings? settings = null)
    {
        using var stop = new CancellationTokenSource();
        var sink = new CollectingSink(plan);
        var context = new MergeContext
        {
            Plan = plan,
            Method = plan.Strategy.Info.Id,
            Seed = plan.Seed,
            Settings = settings ?? TwoThreads,
            Output = sink,
            Checksums = new Checksums(),
        };
        MergeRun.Execute(context, new HashSet<string>(), stop);
        return new(sink, [.. context.Findings], context.Checksums);
    }

    /// <summary>The only reason a run stops with.</summary>
    public static Diagnostic Stopped(MergePlan plan, RunSettings? settings = null) =>
        Assert.Single(Assert.Throws<MergeException>(() => Of(plan, settings)).Diagnostics);
}

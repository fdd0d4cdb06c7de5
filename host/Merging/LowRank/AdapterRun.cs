using System.Collections.Concurrent;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>Runs a merge of adapters into a complete adapter folder, or nothing under that name.</summary>
internal static class AdapterRun
{
    /// <param name="merge">What to make.</param>
    /// <param name="final">The folder.</param>
    /// <param name="force">Whether an earlier merge's folder of that name may be replaced.</param>
    /// <param name="settings">Threads and memory.</param>
    /// <param name="progress">Counters to raise.</param>
    /// <param name="cancellation">Stops between two blocks; nothing is kept, a merge of adapters takes seconds.</param>
    /// <returns>Every module in natural order of names as planned.</returns>
    public static IReadOnlyList<ModuleReport> Run(
        AdapterMerge merge, string final, bool force, RunSettings settings, RunProgress progress, CancellationToken cancellation)
    {
        OutputTarget.Check(final, merge.Plan, force);
        using var folder = AdapterFolder.Open(final);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var context = new MergeContext
        {
            Plan = merge.Plan,
            Method = merge.Plan.Strategy.Info.Id,
            Seed = merge.Plan.Seed,
            Settings = settings,
            Output = new Nowhere(),
            Checksums = new Checksums(),
            LinearAlgebra = new ManagedLinearAlgebra(),
            Progress = progress,
            Stopped = stop.Token,
        };
        var modules = new ConcurrentDictionary<string, StoredModule>();
        if (merge.Plan.Strategy.HasSurvey)
            new Scheduler(settings.Threads, stop).Run([new SurveyJob(context)]);
        new Scheduler(settings.Threads, stop).Run(merge.Plan.Tensors.Select(IJob (plan) =>
            merge.Modules.TryGetValue(plan.Info.Name, out var module)
                ? new AdapterJob(context, plan, module.Each, merge.Choice, (p, made) => modules[p.Info.Name] = Store(p, made))
                : new SavedJob(context, plan, merge.Saved[plan.Info.Name], folder.Factors, at =>
                    modules[plan.Info.Name] = new(null, 0, 0, at, -1))));
        if (InputsUnchanged.Problems(merge.Plan) is { Count: > 0 } changed)
            throw new MergeException(changed);
        folder.Write(merge, modules);
        folder.Complete(final, merge.Plan, force);
        return
        [
            .. merge.Plan.Tensors.Select(t => modules[t.Info.Name]).Where(m => m.Tensors is not null || m.Left < 0)
                .Select(m => new ModuleReport(m.Tensors?.Name ?? m.Name!, m.Rank, m.RelativeError)),
        ];

        StoredModule Store(TensorPlan plan, MergedModule made)
        {
            var like = merge.Modules[plan.Info.Name].Like;
            if (made.Rank == 0)
                return new(null, 0, made.RelativeError, -1, -1) { Name = like.Name };
            var tensors = new AdapterTensors(like.Name, like, made.Rank);
            var (a, b) = tensors.Values(made.Left, made.Right);
            return new(tensors, made.Rank, made.RelativeError, folder.Factors.Append(a), folder.Factors.Append(b));
        }
    }

    private sealed class Nowhere : ITensorSink
    {
        public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes) => throw new NotSupportedException();

        public void Finish(TensorPlan tensor, uint checksum) => throw new NotSupportedException();
    }
}

/// <summary>Where the factor file has a finished module (A, B) or a parameter that is brought whole (Left alone).</summary>
internal sealed record StoredModule(AdapterTensors? Tensors, int Rank, double RelativeError, long Left, long Right)
{
    public string? Name { get; init; }
}

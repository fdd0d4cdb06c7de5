using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>Candidates that are adapters, merged one after the other: each is small.</summary>
internal static class AdapterGeneration
{
    /// <param name="plan">The models and modules; its own options are not used.</param>
    /// <param name="members">The candidates; each output an <see cref="AdapterPlace"/>.</param>
    /// <param name="settings">Threads and memory.</param>
    /// <param name="progress">Counters to raise.</param>
    /// <param name="cancellation">Stops between two blocks.</param>
    public static IReadOnlyList<MergedMember> Run(
        MergePlan plan, IReadOnlyList<GenerationMember> members, RunSettings settings, RunProgress progress,
        CancellationToken cancellation) => [.. members.Select(m => Merge(plan, m, settings, progress, cancellation))];

    private static MergedMember Merge(
        MergePlan plan, GenerationMember member, RunSettings settings, RunProgress progress, CancellationToken cancellation)
    {
        try
        {
            var own = plan with { Tensors = [.. plan.Tensors.Select(t => t.IsCopied ? t : t with { Options = member.Options(t) })] };
            AdapterRun.Run(own, ((AdapterPlace)member.Output).Folder, force: false, settings, progress, cancellation);
            return new([], null);
        }
        // What is wrong with its options is its own. A full disk is no fault of a candidate: it stops them all.
        catch (MergeException refused) when (refused.InnerException is not { } inner || !FileProblem.Is(inner))
        {
            return new([], refused);
        }
    }
}

/// <summary>Where a candidate that is an adapter goes: a folder that does not exist yet.</summary>
internal sealed record AdapterPlace(string Folder) : ITensorSink
{
    /// <summary>The file of its tensors.</summary>
    public string Factors => Path.Combine(Folder, Adapter.TensorFiles[0]);

    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes) => throw new NotSupportedException();

    public void Finish(TensorPlan tensor, uint checksum) => throw new NotSupportedException();
}

using Merge.Compute;
using Merge.Planning;

namespace Merge.Merging;

/// <summary>Whether the memory of a run suffices for the matrices that its method is known to ask for.</summary>
internal static class MatrixRoom
{
    // Of a worker beside its block: what its kernels keep there.
    private const long WorkerBytes = 1 << 18;

    /// <summary>The settings of a run in which every tensor's matrices fit; before the first byte is read.</summary>
    /// <exception cref="MergeException">They do not: the tensor that needs most, and how much.</exception>
    public static RunSettings Fit(MergePlan plan, RunSettings settings)
    {
        if (plan.Strategy.HasSurvey || plan.Adapter is { IsExtracted: true })
            return settings;
        var most = plan.Tensors.Where(t => !t.IsCopied && t.Info.Count > 0)
            .Select(t => (Tensor: t, Needs: MatrixWork.Known(plan, t, null, LinearAlgebraChoice.OfProcess)))
            .MaxBy(t => t.Needs.Work);
        var each = Math.Min(settings.BlockBytes, settings.Memory / settings.Threads / 2) + WorkerBytes;
        if (most.Needs.Why is not { } why || ((Int128)each * settings.Threads) + most.Needs.Work <= settings.Memory)
            return settings;
        return settings.WithRoom(settings.Enough(each, most.Needs.Work))
            ?? throw RunContext.NoRoom(plan.Strategy.Info.Id, settings, most.Tensor, why, each, most.Needs.Work);
    }
}

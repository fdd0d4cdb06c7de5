using Merge.Adapters;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>What a merge of adapters needs of disk and memory, as far as it is known before it runs.</summary>
internal static class AdapterRoom
{
    /// <summary>Bytes that the finished modules and the adapter's file take together at most; where an energy decides the
    /// ranks, at least.</summary>
    public static (long Bytes, bool IsAll) OnDisk(MergePlan plan)
    {
        var output = plan.Adapter!;
        var (bytes, isAll) = (0L, true);
        foreach (var (tensor, module) in plan.Tensors.Where(t => output.Modules.ContainsKey(t.Info.Name)).Zip(Ranks(plan)))
        {
            var isKnown = output.ChoiceOf(module.Name) is null or { Rank: not null };
            isAll &= isKnown;
            var count = (isKnown ? module.Rank : 1) * (module.Like.Inputs + module.Like.Outputs);
            bytes += count * (output.OutType.Bits() / 8) + (output.IsWrittenStraight(tensor.Info.Name) ? 0 : count * sizeof(float));
        }
        var saved = plan.Tensors.Where(t => output.Saved.ContainsKey(t.Info.Name)).Sum(t => t.Info.Count);
        return (bytes + (saved * (sizeof(float) + (output.OutType.Bits() / 8))), isAll);
    }

    /// <summary>The settings of a run in which every module's decomposition fits; before the first byte is read.</summary>
    /// <exception cref="MergeException">One does not: the module that needs most, and how much.</exception>
    public static RunSettings Fit(MergePlan plan, RunSettings settings)
    {
        foreach (var (tensor, why, each, held) in Needs(plan, settings).OrderByDescending(n => n.Each + n.Held).Take(1))
        {
            if (Bytes(each, held, settings) <= settings.Memory)
                continue;
            if (settings.WithRoom(settings.Enough(each, held)) is { } roomier)
                return roomier;
            var refused = RunContext.NoRoom(Method(plan), settings, tensor, why, each, held);
            throw LargestRank(plan, settings) is { } rank
                ? new MergeException([.. refused.Diagnostics.Select(d => d with { Fix = $"{d.Fix} Or give a rank beside the energy, no module more: {rank} fits." })])
                : refused;
        }
        return settings;
    }

    /// <summary>Where an energy alone decides ranks: the largest that would fit the budget; null where none is to be named.</summary>
    private static int? LargestRank(MergePlan plan, RunSettings settings)
    {
        if (plan.Adapter!.Choice is not { Rank: null })
            return null;
        var (fits, beyond) = (0, (int)Math.Min(int.MaxValue, plan.Tensors.Max(t => t.Info.Count)));
        while (beyond - fits > 1)
        {
            var rank = fits + ((beyond - fits) / 2);
            var bounded = plan with { Adapter = plan.Adapter with { Choice = plan.Adapter.Choice with { Rank = rank } } };
            if (Needs(bounded, settings).All(n => Bytes(n.Each, n.Held, settings) <= settings.Memory))
                fits = rank;
            else
                beyond = rank;
        }
        return fits > 0 ? fits : null;
    }

    /// <summary>The module that needs most and its bytes with all threads; null where nothing is decomposed.</summary>
    public static (string Tensor, long Bytes)? Most(MergePlan plan, RunSettings settings) => Needs(plan, settings)
        .Select(n => ((string, long)?)(n.Tensor.Info.Name, Bytes(n.Each, n.Held, settings))).MaxBy(n => n?.Item2);

    /// <summary>What is at work, for messages.</summary>
    public static string Method(MergePlan plan) => plan.Adapter!.IsExtracted ? "extract" : plan.Strategy.Info.Id;

    private static long Bytes(long each, long held, RunSettings settings) => (each * settings.Threads) + held;

    private static IEnumerable<(TensorPlan Tensor, string Why, long Each, long Held)> Needs(MergePlan plan, RunSettings settings)
    {
        var output = plan.Adapter!;
        foreach (var tensor in plan.Tensors.Where(t => t.Info.Count > 0 && output.Modules.ContainsKey(t.Info.Name)))
        {
            var (like, each) = output.Modules[tensor.Info.Name];
            var choice = output.ChoiceOf(like.Name);
            if (choice is not null && (output.IsExtracted || !AdapterChecks.IsLinear(plan, tensor)))
            {
                // How many directions an energy takes is not known: all of them, where no rank bounds it.
                var width = RangeFinder.LargestWidth(tensor.Info, choice);
                var sweeps = WorkMemory.OfSweeps(settings, tensor, width);
                yield return (
                    tensor,
                    width == RangeFinder.FirstWidth(tensor.Info, choice) ? WorkMemory.OfBasis(tensor, width).Why!
                        : $"may look for {width} directions of this tensor, as its energy may take as many",
                    sweeps.Each,
                    sweeps.Held);
            }
            else if (!output.IsWrittenStraight(tensor.Info.Name))
            {
                var rank = each.Sum(m => (long)(m?.Rank ?? 0));
                var work = WorkMemory.OfFactors(tensor, rank, each.Max(m => m?.Rank ?? 0), Math.Min(rank, choice?.Rank ?? rank));
                yield return (tensor, work.Why!, 0, work.Work);
            }
        }
    }

    private static IEnumerable<AdapterTensors> Ranks(MergePlan plan)
    {
        var modules = AdapterLayout.Modules(plan.Adapter!).ToDictionary(m => m.Name);
        return plan.Tensors.Where(t => plan.Adapter!.Modules.ContainsKey(t.Info.Name))
            .Select(t => modules[plan.Adapter!.Modules[t.Info.Name].Like.Name]);
    }
}

using Merge.Adapters;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>
/// Averages of the factors themselves, for adapters of one rank. The product of averages is not the average of products:
/// it has cross-terms B_i·A_j, which is why each goes by its own name.
/// </summary>
internal static class FactorAverage
{
    /// <exception cref="MergeException">Their ranks or scales differ.</exception>
    public static void Check(
        string tensor, IReadOnlyList<(AdapterModule Module, double Weight)> modules, AdapterCombination combination)
    {
        var isPeft = combination == AdapterCombination.PeftLinear;
        var first = modules[0].Module;
        if (modules.All(m => m.Module.Rank == first.Rank && (isPeft || m.Module.Scale == first.Scale)))
            return;
        throw new MergeException(new Diagnostic("the adapters' factors cannot be averaged: their "
            + $"ranks{(isPeft ? "" : " or scales")} differ ({string.Join(", ", modules.Select(m => $"rank {m.Module.Rank}, scale {m.Module.Scale:G6}"))})")
        {
            Where = tensor,
            Expected = $"one rank{(isPeft ? "" : " and one scale")}",
            Fix = "Leave 'combine' out: the exact combination takes any ranks and scales.",
        })
        { WrongUsage = true };
    }

    /// <param name="modules">Each with its weight w; <see cref="Check">checked</see>.</param>
    /// <param name="combination"><see cref="AdapterCombination.Factors"/>: s·(Σ w·B)·(Σ w·A), all of one s;
    /// <see cref="AdapterCombination.PeftLinear"/>: (Σ √|w·s|·B)·(Σ sign(w)·√|w·s|·A).</param>
    public static Factors Of(IReadOnlyList<(AdapterModule Module, double Weight)> modules, AdapterCombination combination)
    {
        var isPeft = combination == AdapterCombination.PeftLinear;
        var first = modules[0].Module;
        Factors[] plain = [.. modules.Select(m => Factors.Of([(m.Module with { Scale = 1 }, 1)]))];
        var (left, right) = (new double[plain[0].Left.Length], new double[plain[0].Right.Length]);
        foreach (var ((module, weight), factors) in modules.Zip(plain))
        {
            var root = Math.Sqrt(Math.Abs(weight * module.Scale));
            // Which of the two is A depends on the layout; the sign may go to either.
            Add(left, factors.Left, isPeft ? root : weight);
            Add(right, factors.Right, isPeft ? Math.Sign(weight * module.Scale) * root : weight);
        }
        var scale = isPeft ? 1 : first.Scale;
        return new([.. left.Select(v => (float)(scale * v))], [.. right.Select(v => (float)v)], first.Rank, plain[0].Width);
    }

    private static void Add(double[] sums, float[] values, double factor)
    {
        for (var i = 0; i < sums.Length; i++)
            sums[i] += factor * values[i];
    }
}

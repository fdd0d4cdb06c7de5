using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>What gives masked task vectors back the L1 norm they had.</summary>
internal static class L1Norm
{
    private const double Vanishing = 1e-7;

    /// <summary>Σ|Δ_i| and Σ|masked Δ_i| of every model that has a mask, one pair after the other.</summary>
    public static Stat<double[]> BeforeAndAfter(TensorScan tensor, IReadOnlyList<Mask?> masks) =>
        Stat.All(masks.SelectMany((mask, i) => mask is null ? Array.Empty<Stat<double>>() :
        [
            tensor.Sum(b => b.Deltas[i].Abs()),
            tensor.Sum(b => b.Deltas[i].Abs().Masked(mask(b))),
        ]));

    /// <summary>The factor of every model: before / after, 1 where either is under 1e-7 or nothing is masked.</summary>
    public static double[] Factors(IReadOnlyList<Mask?> masks, double[] norms)
    {
        var next = 0;
        return [.. masks.Select(mask => mask is null ? 1 : Factor(norms[next++], norms[next++]))];
    }

    private static double Factor(double before, double after) =>
        before < Vanishing || after < Vanishing ? 1 : before / after;
}

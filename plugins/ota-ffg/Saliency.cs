using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>Yes or no for every edit of a model.</summary>
internal delegate TensorMask Mask(Block b);

/// <summary>
/// Fast Fisher Grafting: how much the loss would rise, to second order, were an edit undone, and which edits stay.
/// </summary>
internal static class Saliency
{
    /// <summary>s = v_i·Δ_i²; without a base v_i. As v·(Δ·Δ): (v·Δ)·Δ underflows in float32.</summary>
    public static TensorExpr Of(Block b, TensorScan tensor, SecondMoments v, int model) => tensor.HasBase
        ? v.Of(b, model) * (b.Deltas[model] * b.Deltas[model])
        : v.Of(b, model);

    /// <summary>max(1, round(density·N)), half to even.</summary>
    public static long Kept(double density, long count) => Math.Max(1, (long)Math.Round(density * count));

    /// <summary>What stays of a model's task vector; null: all of it.</summary>
    /// <param name="score">The saliency.</param>
    /// <param name="threshold">The lowest that stays; null: none.</param>
    /// <param name="cut">Where the most salient end; null: no density.</param>
    public static Mask? MaskOf(Func<Block, TensorExpr> score, double? threshold, Cut? cut) =>
        threshold is { } t ? b => score(b) >= t
        : cut is { } c && c != Cut.KeepAll ? b => score(b).KeptBy(c)
        : null;
}

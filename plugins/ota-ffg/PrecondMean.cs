using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>The mean weighted by curvature: Σ W_i x_i / Σ W_i with W_i = (P_i + ε)·M_i.</summary>
/// <param name="options">ε and what stands where nothing has weight.</param>
/// <param name="masks">M_i; null: all ones.</param>
/// <param name="hasMasks">Whether there is a mask.</param>
/// <param name="weight">P_i + ε.</param>
internal sealed class PrecondMean(
    OtaOptions options, IReadOnlyList<Mask?> masks, bool hasMasks, Func<Block, int, TensorExpr> weight)
{
    // The authors' allowance for rounding.
    private const double Slack = 1.1;

    /// <summary>Of the models, there being no base.</summary>
    public TensorMerge OfModels() => TensorMerge.From(b =>
    {
        var weights = Weights(b);
        var total = Sum(weights);
        var mean = Sum(weights.Zip(b.Models, (w, theta) => w * theta)) / total;
        return hasMasks ? WhereNoneCounts(total).Select(PlainMean(b), mean) : mean;
    });

    /// <summary>Of the edits, added to the base.</summary>
    public TensorMerge OfEdits(MaskedEdits edits) => TensorMerge.From(b =>
    {
        var weights = Weights(b);
        var total = Sum(weights);
        var merged = b.Base + (Sum(weights.Select((w, i) => w * edits.Scaled(b, i))) / total);
        return hasMasks
            ? WhereNoneCounts(total).Select(options.FallbackToBase ? b.Base : PlainMean(b), merged)
            : merged;
    });

    private TensorExpr[] Weights(Block b) =>
        [.. masks.Select((mask, i) => mask is null ? weight(b, i) : weight(b, i).Masked(mask(b)))];

    private TensorMask WhereNoneCounts(TensorExpr total) => total <= Slack * masks.Count * options.Epsilon;

    private TensorExpr PlainMean(Block b) => Sum(b.Models) / (double)masks.Count;

    private static TensorExpr Sum(IEnumerable<TensorExpr> values) => values.Aggregate((a, b) => a + b);
}

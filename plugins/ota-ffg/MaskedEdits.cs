using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>x_i = factor_i · M_i Δ_i: what stays of each task vector, scaled.</summary>
/// <param name="masks">M_i; null: all of it.</param>
/// <param name="factors">What gives it its norm back; 1 where nothing does.</param>
internal sealed class MaskedEdits(IReadOnlyList<Mask?> masks, IReadOnlyList<double> factors)
{
    /// <summary>x_i.</summary>
    public TensorExpr Of(Block b, int model)
    {
        var scaled = Scaled(b, model);
        return masks[model] is { } mask ? scaled.Masked(mask(b)) : scaled;
    }

    /// <summary>factor_i · Δ_i: for where the mask is in the weights.</summary>
    public TensorExpr Scaled(Block b, int model) =>
        factors[model] == 1 ? b.Deltas[model] : b.Deltas[model] * factors[model];

    /// <summary>θ_0 + Σ x_i / n.</summary>
    public TensorMerge Mean() => TensorMerge.From(b => b.Base + (Sum(All(b)) / (double)masks.Count));

    /// <summary>
    /// θ_0 + Σ_agreeing x_i / n over the x_i whose sign is that of Σ x_i (+ where that is 0; an x_i of 0 has neither).
    /// No weights, and not the divisor of TIES.
    /// </summary>
    /// <param name="cuts">What of |x_i| stays before.</param>
    public TensorMerge Elected(IReadOnlyList<Cut> cuts) => TensorMerge.From(b =>
    {
        TensorExpr[] trimmed =
            [.. All(b).Select((x, i) => cuts[i] == Cut.KeepAll ? x : x.Masked(x.Abs().KeptBy(cuts[i])))];
        var sign = (Sum(trimmed) >= 0f).Select(1f, -1f);

        // Seen from the elected sign, what agrees is positive.
        var agreed = Sum(trimmed.Select(x => TensorExpr.Max(sign * x, 0f)));
        return b.Base + (sign * agreed / (double)masks.Count);
    });

    private IEnumerable<TensorExpr> All(Block b) => Enumerable.Range(0, masks.Count).Select(i => Of(b, i));

    private static TensorExpr Sum(IEnumerable<TensorExpr> values) => values.Aggregate((a, b) => a + b);
}

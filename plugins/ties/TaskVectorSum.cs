using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>The end of every method of the family: masked task vectors, scaled, added to the base.</summary>
/// <param name="weights">w_i.</param>
/// <param name="masks">What stays of Δ_i.</param>
/// <param name="factors">What the masked Δ_i is multiplied by; null: 1.</param>
/// <param name="normalize">Whether the sum is divided by the weights in it.</param>
/// <param name="lambda">λ.</param>
internal sealed class TaskVectorSum(
    IReadOnlyList<double> weights,
    IReadOnlyList<Mask?> masks,
    IReadOnlyList<double>? factors,
    bool normalize,
    double lambda)
{
    private const double Vanishing = 1e-8;

    public TaskVectorSum(TaskVectorOptions options, IReadOnlyList<Mask?> masks, IReadOnlyList<double>? factors)
        : this(options.Weight.ToList(masks.Count), masks, factors, options.Normalize, options.Lambda)
    {
    }

    /// <summary>θ_0 + λ Σ x_i, where x_i = w_i · factor_i · masked Δ_i; normalized: divided by Σ w_i.</summary>
    public TensorMerge Plain()
    {
        var sum = weights.Sum();
        var divisor = normalize && Math.Abs(sum) >= Vanishing ? sum : 1;
        double[] coefficients = [.. weights.Select((w, i) => lambda * w * Factor(i) / divisor)];
        return masks.All(m => m is null)
            ? TensorMerge.CombineDeltas(coefficients)
            : TensorMerge.From(b => b.Base + Sum(Scaled(b, coefficients)));
    }

    /// <summary>
    /// θ_0 + λ Σ x_i over the x_i whose sign is that of Σ x_i (+ where that is 0; an x_i of 0 has neither sign);
    /// normalized: divided by the w_i of those, unless they add up to 0.
    /// </summary>
    public TensorMerge Elected() => TensorMerge.From(b =>
    {
        double[] coefficients = [.. weights.Select((w, i) => w * Factor(i))];
        var values = Scaled(b, coefficients);
        var sign = (Sum(values) >= 0f).Select(1f, -1f);

        // Seen from the elected sign, what agrees is positive.
        TensorExpr[] turned = [.. values.Select(x => sign * x)];
        var agreed = sign * Sum(turned.Select(x => TensorExpr.Max(x, 0f)));
        if (!normalize)
            return b.Base + (lambda * agreed);
        var divisor = Sum(turned.Zip(weights, (x, w) => (x > 0f).Select(w, 0f)));
        return b.Base + (lambda * (agreed / divisor.EqualTo(0f).Select(1f, divisor)));
    });

    private double Factor(int model) => factors?[model] ?? 1;

    private TensorExpr[] Scaled(Block b, double[] coefficients) =>
        [.. b.Deltas.Select((delta, i) => coefficients[i] * (masks[i] is { } mask ? delta.Masked(mask(b)) : delta))];

    private static TensorExpr Sum(IEnumerable<TensorExpr> values) => values.Aggregate((a, b) => a + b);
}

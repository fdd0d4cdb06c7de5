using Merge.Sdk;

namespace Merge.Plugin.Spherical;

/// <summary>The parameters of <c>multislerp</c>, as mergekit has them.</summary>
public sealed record MultiSlerpOptions
{
    /// <summary>w_i.</summary>
    [Parameter("Weight of the model", Required = true)]
    [Searchable(0, 1)]
    public PerModel<double> Weight { get; init; }

    /// <summary>Whether the weights are divided by their sum.</summary>
    [Parameter("Divide the weights by their sum")]
    public bool NormalizeWeights { get; init; } = true;

    /// <summary>Added to every length; a sum of directions shorter than this has none.</summary>
    [Parameter("epsilon, added to lengths; a shorter sum of directions counts as none", Bounds = "(0, inf)")]
    public double Eps { get; init; } = 1e-8;
}

/// <summary>
/// A weighted mean on the sphere: the direction of Σ w_i θ_i/(‖θ_i‖+ε) with the length Σ w_i ‖θ_i‖, whole tensors;
/// with a base, of the task vectors. (mergekit goes through the tangent space at that direction, where the weighted
/// sum is zero, and comes back to the same point.)
/// </summary>
public sealed class MultiSlerpMerge : MergeStrategy<MultiSlerpOptions>
{
    private const double VanishingSum = 1e-8;

    // A Gram matrix knows squares to 2^-53 of their terms, so a length to its root.
    private const double CancelledLength = 1e-7;

    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "multislerp", "Multi-SLERP", Base: InputRole.Optional,
        Formula: "u sum_i w_i |theta_i|, u the direction of sum_i w_i theta_i / (|theta_i| + eps); with a base: "
            + "theta_0 + that of the task vectors");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, MultiSlerpOptions options)
    {
        if (tensor.ModelCount == 1)
            return TensorMerge.Copy(0);
        var weights = Weights(options, tensor);
        var gram = await FiniteGram.OfModels(tensor);
        double[] norms = [.. weights.Select((_, i) => gram.Norm(i))];
        if (norms.All(n => n == 0))
            return tensor.HasBase ? TensorMerge.CopyBase() : TensorMerge.Copy(0);

        double[] units = [.. weights.Zip(norms, (w, n) => w / (n + options.Eps))];
        var sum = gram.Length(units);
        var scale = weights.Zip(norms, (w, n) => w * n).Sum() / sum;
        var isDirected = sum >= Math.Max(options.Eps, CancelledLength * weights.Sum(Math.Abs));
        double[] merged = isDirected ? [.. units.Select(u => u * scale)]
            : weights.Length == 2 ? weights
            : throw NoDirection(tensor.Info);
        return tensor.HasBase ? TensorMerge.CombineDeltas(merged) : TensorMerge.Combine(merged);
    }

    private static double[] Weights(MultiSlerpOptions options, TensorScan tensor)
    {
        double[] weights = [.. options.Weight.ToList(tensor.ModelCount)];
        if (!options.NormalizeWeights)
            return weights;
        var sum = weights.Sum();
        return Math.Abs(sum) >= VanishingSum ? [.. weights.Select(w => w / sum)] : throw new MergeException(
            new Diagnostic($"the weights add up to {sum:R}, so they cannot be normalized")
            {
                Expected = "a sum away from 0",
                Fix = "Change the weights, or set normalize_weights: false to take them as they are.",
            })
        { WrongUsage = true };
    }

    private static MergeException NoDirection(TensorInfo tensor) => new(
        new Diagnostic("the weighted directions of the models cancel: there is no mean direction")
        {
            Where = tensor.Name,
            Expected = "models (with a base: task vectors) that do not balance out",
            Fix = "Use other weights, or linear.",
        });
}

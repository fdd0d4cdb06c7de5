using Merge.Sdk;

namespace Merge.Plugin.Uniform;

/// <summary>The parameters of <c>linear</c>, as mergekit has them.</summary>
public sealed record LinearOptions
{
    /// <summary>w_i: may be negative, need not add to 1.</summary>
    [Parameter("Weight of the model; may be negative", Required = true)]
    [Searchable(0, 1)]
    public PerModel<double> Weight { get; init; }

    /// <summary>Whether the weights are divided by their sum.</summary>
    [Parameter("Divide the weights by their sum")]
    public bool Normalize { get; init; } = true;
}

/// <summary>
/// The weighted average of the models, Σ w_i θ_i / Σ w_i, or the plain sum where <c>normalize</c> is false
/// (Wortsman et al. 2022, arXiv:2203.05482; mergekit's <c>linear</c>).
/// </summary>
public sealed class LinearMerge : MergeStrategy<LinearOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "linear", "Linear", "arXiv:2203.05482", Formula: "sum_i w_i theta_i / sum_i w_i");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, LinearOptions options)
    {
        var weights = options.Weight.ToList(tensor.ModelCount);
        return ValueTask.FromResult(TensorMerge.Combine(
            options.Normalize ? Coefficients.Normalized(weights) : weights));
    }
}

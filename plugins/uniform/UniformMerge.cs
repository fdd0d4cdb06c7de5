using Merge.Sdk;

namespace Merge.Plugin.Uniform;

/// <summary><c>uniform</c> has no parameters.</summary>
public sealed record UniformOptions;

/// <summary>
/// The mean of the models, (1/K) Σ θ_i: a uniform soup (Wortsman et al. 2022, arXiv:2203.05482), checkpoint averaging,
/// latest-weight averaging.
/// </summary>
public sealed class UniformMerge : MergeStrategy<UniformOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "uniform", "Uniform soup", "arXiv:2203.05482", Formula: "(1/K) sum_i theta_i");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, UniformOptions options) =>
        ValueTask.FromResult(TensorMerge.Combine(Coefficients.Uniform(tensor.ModelCount)));
}

using Merge.Sdk;

namespace Merge.Plugin.Uniform;

/// <summary>The parameters of <c>ema</c>.</summary>
public sealed record EmaOptions
{
    /// <summary>β. No default: it must fit their number (0.999 over 20 leaves 98 % on the oldest).</summary>
    [Parameter("beta, what the average keeps at each further checkpoint; choose it for their number",
        Bounds = "[0, 1]", Required = true)]
    [Searchable(0, 0.99)]
    public double Beta { get; init; }
}

/// <summary>
/// The exponential moving average of a trajectory's checkpoints, oldest first:
/// β^(K−1) θ_1 + Σ_{i≥2} (1−β) β^(K−i) θ_i.
/// </summary>
public sealed class EmaMerge : MergeStrategy<EmaOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "ema", "Exponential moving average",
        Formula: "beta^(K-1) theta_1 + sum_(i>=2) (1-beta) beta^(K-i) theta_i, oldest first");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, EmaOptions options) =>
        ValueTask.FromResult(TensorMerge.Combine(
            Coefficients.ExponentialAverage(tensor.ModelCount, options.Beta)));
}

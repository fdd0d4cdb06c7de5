using Merge.Sdk;

namespace Merge.Plugin.Uniform;

/// <summary>The learning-rate decay that a merge of checkpoints stands in for.</summary>
public enum WsmProfile
{
    /// <summary>f(x) = 1 − x; its merge is the uniform one.</summary>
    Linear,
    /// <summary>f(x) = 1 − √x.</summary>
    Sqrt,
}

/// <summary>The parameters of <c>wsm</c>.</summary>
public sealed record WsmOptions
{
    /// <summary>The decay f.</summary>
    [Parameter("Decay the merge stands in for: linear (1-x, a uniform merge) or sqrt (1-sqrt x)")]
    public WsmProfile Profile { get; init; } = WsmProfile.Sqrt;
}

/// <summary>
/// Warm-up, stable and merge (arXiv:2507.17634): checkpoints of a run with a constant learning rate, oldest first,
/// merged as if the rate had decayed: c_i = f(i/K) − f((i+1)/K).
/// </summary>
public sealed class WsmMerge : MergeStrategy<WsmOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "wsm", "WSM: merging in place of decay", "arXiv:2507.17634",
        Formula: "sum_i (f(i/K) - f((i+1)/K)) theta_i, i = 0..K-1, oldest first");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, WsmOptions options)
    {
        Func<double, double> f = options.Profile == WsmProfile.Sqrt ? x => 1 - Math.Sqrt(x) : x => 1 - x;
        return ValueTask.FromResult(TensorMerge.Combine(Coefficients.Decay(tensor.ModelCount, f)));
    }
}

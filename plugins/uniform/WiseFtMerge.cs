using Merge.Sdk;

namespace Merge.Plugin.Uniform;

/// <summary>The parameters of <c>wise-ft</c>.</summary>
public sealed record WiseFtOptions
{
    /// <summary>α: 0 is the base, 1 the fine-tuned model.</summary>
    [Parameter("alpha, the way from the base (0) to the fine-tuned model (1)", Bounds = "[0, 1]")]
    [Searchable(0, 1)]
    public double Alpha { get; init; } = 0.5;
}

/// <summary>
/// (1−α) θ_0 + α θ_1, robust fine-tuning (Wortsman et al. 2022, arXiv:2109.01903). Written as a weighted sum and not as
/// θ_0 + α Δ, so that α = 1 gives the fine-tuned model exactly.
/// </summary>
public sealed class WiseFtMerge : MergeStrategy<WiseFtOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "wise-ft", "WiSE-FT", "arXiv:2109.01903", InputRole.Required, MaxModels: 1,
        Formula: "(1-alpha) theta_0 + alpha theta_1");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, WiseFtOptions options) =>
        ValueTask.FromResult(TensorMerge.Combine([options.Alpha], baseWeight: 1 - options.Alpha));
}

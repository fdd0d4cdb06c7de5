using Merge.Sdk;

namespace Merge.Plugin.Selective;

/// <summary>The parameters of <c>nearswap</c>, as mergekit has them.</summary>
public sealed record NearswapOptions
{
    /// <summary>t: a distance up to t is gone whole, a larger one for t of it.</summary>
    [Parameter("t, the distance up to which an element becomes the model's", Bounds = "[0, inf)", Required = true)]
    [Searchable(1e-5, 1e-1, Scale = SearchScale.Logarithmic)]
    public double T { get; init; }
}

/// <summary>
/// Where base and model are near, the model; where they are not, the base with a step towards it:
/// (1−w) θ_0 + w θ_1 with w = clip(t / |θ_0 − θ_1|, 0, 1).
/// </summary>
public sealed class NearswapMerge : MergeStrategy<NearswapOptions>
{
    private const double Nearest = 1e-6;

    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "nearswap", "NearSwap", Base: InputRole.Required, MaxModels: 1,
        Formula: "(1-w) theta_0 + w theta_1, w = clip(t / max(|theta_0 - theta_1|, 1e-6), 0, 1)");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, NearswapOptions options) =>
        ValueTask.FromResult(TensorMerge.From(b =>
        {
            var weight = (options.T / TensorExpr.Max(b.Deltas[0].Abs(), Nearest)).Clamp(0, 1);
            return (weight * b.Models[0]) + ((1 - weight) * b.Base);
        }));
}

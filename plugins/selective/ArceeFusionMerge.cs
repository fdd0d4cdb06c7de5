using Merge.Sdk;

namespace Merge.Plugin.Selective;

/// <summary><c>arcee_fusion</c> has no parameters.</summary>
public sealed record ArceeFusionOptions;

/// <summary>
/// The changes that matter most: importance |Δ| · KL(softmax θ_1 ‖ softmax θ_0), the divergence row by row; kept are
/// the changes of importance ≥ median + 1.5 (Q3 − Q1), quantiles of the whole tensor (mergekit samples those of tensors
/// with more than a million elements; these are exact).
/// </summary>
public sealed class ArceeFusionMerge : MergeStrategy<ArceeFusionOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "arcee_fusion", "Arcee Fusion", Base: InputRole.Required, MaxModels: 1,
        Formula: "theta_0 + delta where |delta| KL(softmax theta_1, softmax theta_0) >= median + 1.5 IQR, KL per row");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, ArceeFusionOptions options)
    {
        var last = tensor.Info.Count - 1;
        var quartiles = await tensor.OrderStatistics(Importance, last / 4, last / 2, 3 * last / 4);
        var threshold = quartiles[1] + (1.5f * (quartiles[2] - quartiles[0]));
        return TensorMerge.From(b => b.Base + b.Deltas[0].Masked(Importance(b) >= threshold));
    }

    private static TensorExpr Importance(Block b) =>
        b.Deltas[0].Abs() * Divergence.OfRows(b.Models[0], b.Base);
}

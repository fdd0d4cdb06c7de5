using Merge.Sdk;

namespace Merge.Plugin.Subspace;

/// <summary>
/// Subspace boosting (Skorobogat et al. 2025, "Subspace-Boosted Model Merging", arXiv:2506.16506): a merged task vector
/// Δ = U Σ Vᵀ has lost rank; with j* = min{j : Σ_{i≤j} σ_i / Σ σ ≥ β} every σ_j with j &gt; j* becomes σ_{j*}. Δ is that of task
/// arithmetic or of TIES; tensors that are no matrices stay as those merge them.
/// </summary>
public sealed class SubspaceBoosting : MergeStrategy<SubspaceBoostingOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "subspace_boosting", "Subspace boosting", "arXiv:2506.16506", InputRole.Required,
        Formula: "theta_0 + lambda U max(Sigma, sigma_j*) V^T, where merge(delta_i) = U Sigma V^T");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, SubspaceBoostingOptions options)
    {
        var merged = options.Merge == BoostedMerge.Ties
            ? await Ties(tensor, options)
            : b => b.Deltas.Select((delta, i) => options.Weight[i] * delta).Aggregate((x, y) => x + y);
        if (tensor.Info.Rank != 2)
            return TensorMerge.From(b => b.Base + (options.Lambda * merged(b)));
        var svd = tensor.LinearAlgebra.Svd(await tensor.Materialize(merged));
        var boosted = tensor.LinearAlgebra.Multiply(svd.U.ScaleColumns(Boost(svd.Sigma, options.Beta)), svd.Vt);
        return TensorMerge.From(b => b.Base + (options.Lambda * b.View(boosted)));
    }

    private static double[] Boost(double[] sigma, double beta)
    {
        var (total, sum, j) = (sigma.Sum(), 0.0, -1);
        do
            sum += sigma[++j];
        while (j < sigma.Length - 1 && sum < beta * total);
        return [.. sigma.Select(s => Math.Max(s, sigma[j]))];
    }

    /// <summary>TIES (arXiv:2306.01708): the sign of Σ x_i, + where it is 0; the mean of the x_i that agree, by their w_i.</summary>
    private static async ValueTask<Func<Block, TensorExpr>> Ties(TensorScan tensor, SubspaceBoostingOptions options)
    {
        var cuts = await tensor.EachModel(i =>
            tensor.Largest(b => b.Deltas[i].Abs(), Math.Max(1, (long)(options.Density[i] * tensor.Info.Count))));
        return b =>
        {
            TensorExpr[] x =
                [.. b.Deltas.Select((delta, i) => options.Weight[i] * delta.Masked(delta.Abs().KeptBy(cuts[i])))];
            var isPositive = x.Aggregate((sum, value) => sum + value) >= 0f;
            TensorExpr agreed = 0f;
            TensorExpr divisor = 0f;
            foreach (var (i, value) in x.Index())
            {
                // The elected sign is + or -, never 0: a zero agrees with neither.
                var agrees = isPositive.Select(value, -value) > 0f;
                agreed += value.Masked(agrees);
                divisor += agrees.Select(options.Weight[i], 0f);
            }
            return agreed / divisor.EqualTo(0f).Select(1f, divisor);
        };
    }
}

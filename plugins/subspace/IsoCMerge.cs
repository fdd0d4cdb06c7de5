using Merge.Sdk;

namespace Merge.Plugin.Subspace;

/// <summary>
/// Iso-C (Marczak et al. 2025, "No Task Left Behind: Isotropic Model Merging with Common and Task-Specific Subspaces",
/// arXiv:2502.04959): Σ Δ_i = U Σ Vᵀ with every σ replaced by their mean: θ = θ_0 + λ σ̄ U Vᵀ. 2-D tensors; others are averaged.
/// </summary>
public sealed class IsoCMerge : MergeStrategy<SubspaceOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "iso_c", "Iso-C", "arXiv:2502.04959", InputRole.Required,
        Formula: "theta_0 + lambda mean(sigma) U V^T, where sum_i delta_i = U Sigma V^T");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, SubspaceOptions options)
    {
        if (tensor.Info.Rank != 2)
            return Averaged.Deltas(tensor, options.Lambda);
        var sum = await tensor.Materialize(b => b.Deltas.Aggregate((total, delta) => total + delta));
        var svd = tensor.LinearAlgebra.Svd(sum);
        var mean = svd.Sigma.Average();
        var directions = tensor.LinearAlgebra.Multiply(svd.U, svd.Vt);
        return TensorMerge.From(b => b.Base + (options.Lambda * mean * b.View(directions)));
    }
}

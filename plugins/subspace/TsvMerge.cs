using Merge.Sdk;

namespace Merge.Plugin.Subspace;

/// <summary>
/// TSV-Merge (Gargiulo et al. 2024, "Task Singular Vectors: Reducing Task Interference in Model Merging", arXiv:2412.00081):
/// of each of T task vectors the top 1/T singular triples, side by side; U = P_U D_U Q_Uᵀ is replaced by U⊥ = P_U Q_Uᵀ, V
/// likewise: θ = θ_0 + λ U⊥ Σ V⊥ᵀ. 2-D tensors; others are averaged.
/// </summary>
public sealed class TsvMerge : MergeStrategy<SubspaceOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "tsv_merge", "TSV-Merge", "arXiv:2412.00081", InputRole.Required,
        Formula: "theta_0 + lambda polar([U_i]) diag(sigma_i) polar([V_i])^T, the top 1/T singular triples of each delta_i");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, SubspaceOptions options)
    {
        if (tensor.Info.Rank != 2)
            return Averaged.Deltas(tensor, options.Lambda);
        var algebra = tensor.LinearAlgebra;
        var size = Math.Min(tensor.Info.RowCount, tensor.Info.RowLength);
        // Of a matrix with fewer directions than tasks, one each.
        var kept = Math.Max(1, (int)(size / tensor.ModelCount));
        var deltas = await tensor.EachModel(i => tensor.Materialize(b => b.Deltas[i]));
        var all = Triples.SideBySide([.. deltas.Select(delta => Triples.Top(algebra.Svd(delta), kept))]);
        var scaled = algebra.Polar(all.U).ScaleColumns([.. all.Sigma.Select(s => options.Lambda * s)]);
        return TensorMerge.LowRank(scaled, algebra.Polar(all.V).Transpose());
    }
}

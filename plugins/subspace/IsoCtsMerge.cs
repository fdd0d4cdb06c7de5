using Merge.Sdk;

namespace Merge.Plugin.Subspace;

/// <summary>
/// Iso-CTS (Marczak et al. 2025, arXiv:2502.04959, algorithm 2): the top directions of Σ Δ_i are common; of what each Δ_i has
/// outside of them, (I − U_c U_cᵀ) Δ_i, the top ones fill the rest, as many for each task; U and V of all are replaced by
/// the nearest orthogonal matrices and every σ by their mean: θ = θ_0 + λ σ̄ U⊥ V⊥ᵀ. 2-D tensors; others are averaged.
/// </summary>
public sealed class IsoCtsMerge : MergeStrategy<IsoCtsOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "iso_cts", "Iso-CTS", "arXiv:2502.04959", InputRole.Required,
        Formula: "theta_0 + lambda mean(sigma) polar([U_i U_c]) polar([V_i V_c])^T, U_c of sum_i delta_i, U_i of (I - U_c U_c^T) delta_i");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, IsoCtsOptions options)
    {
        if (tensor.Info.Rank != 2)
            return Averaged.Deltas(tensor, options.Lambda);
        var algebra = tensor.LinearAlgebra;
        var tasks = tensor.ModelCount;
        var size = (int)Math.Min(tensor.Info.RowCount, tensor.Info.RowLength);

        // As the authors round: what the tasks get is a multiple of their number, ties to even.
        var perTask = (int)Math.Round((size - (int)(size * options.CommonFraction)) / (double)tasks);
        while (perTask * tasks > size)
            perTask--;
        var common = size - (perTask * tasks);
        var sum = tensor.Materialize(b => b.Deltas.Aggregate((total, delta) => total + delta));
        var deltas = await tensor.EachModel(i => tensor.Materialize(b => b.Deltas[i]));
        var shared = Triples.Top(algebra.Svd(await sum), common);
        var parts = deltas.Select(delta => Triples.Top(algebra.Svd(Outside(algebra, shared.U, delta)), perTask)).Append(shared);
        var all = Triples.SideBySide([.. parts]);
        var mean = options.Lambda * all.Sigma.Average();
        var scaled = algebra.Polar(all.U).ScaleColumns([.. all.Sigma.Select(_ => mean)]);
        return TensorMerge.LowRank(scaled, algebra.Polar(all.V).Transpose());
    }

    /// <summary>Δ − U Uᵀ Δ.</summary>
    private static Matrix Outside(ILinearAlgebra algebra, Matrix u, Matrix delta)
    {
        var within = algebra.Multiply(u, algebra.Multiply(u.Transpose(), delta));
        var outside = new Matrix(delta.Rows, delta.Columns);
        for (var i = 0; i < delta.Rows; i++)
        {
            for (var j = 0; j < delta.Columns; j++)
                outside[i, j] = delta[i, j] - within[i, j];
        }
        return outside;
    }
}

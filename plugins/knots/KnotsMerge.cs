using Merge.Sdk;

namespace Merge.Plugin.Knots;

/// <summary>
/// KnOTS (Stoica et al. 2024, "Model merging with SVD to tie the Knots", arXiv:2410.19735): the task vectors, side by side,
/// are decomposed together, [Δ_1 … Δ_n] = U Σ [V_1ᵀ … V_nᵀ]; in this shared basis their V_i are aligned, so that they can
/// be merged element by element: θ = θ_0 + λ U Σ V_mergedᵀ. 2-D tensors; others are averaged.
/// </summary>
public sealed class KnotsMerge : MergeStrategy<KnotsOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "knots", "KnOTS", "arXiv:2410.19735", InputRole.Required,
        Formula: "theta_0 + lambda U Sigma merge(V_i)^T, where [Delta_1 ... Delta_n] = U Sigma [V_1^T ... V_n^T]");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, KnotsOptions options)
    {
        var weights = options.Weight.ToList(tensor.ModelCount);
        if (tensor.Info.Rank != 2)
            return TensorMerge.CombineDeltas([.. weights.Select(w => options.Lambda * w / tensor.ModelCount)]);
        var basis = await SharedBasis.Of(tensor, BasisSize(tensor, options));
        var merged = options.Elect
            ? AlignedMerge.Elected(basis.V, weights, options.Density)
            : AlignedMerge.Sum(basis.V, weights, options.Density);
        return TensorMerge.LowRank(basis.ScaledU(options.Lambda), merged.Transpose());
    }

    private static int BasisSize(TensorScan tensor, KnotsOptions options)
    {
        var most = (int)Math.Min(tensor.Info.RowCount, tensor.Info.RowLength * tensor.ModelCount);
        if (options.Rank is { } rank)
            return Math.Min(rank, most);
        var known = Enumerable.Range(0, tensor.ModelCount).Select(tensor.KnownRank).ToArray();
        if (known.All(r => r is not null))
            return Math.Min(known.Sum(r => r!.Value), most);
        // Task vectors of whole models have full rank: in memory only where they are small.
        return tensor.Info.Count <= 1 << 20 ? most : throw new MergeException(new Diagnostic(
            "the task vectors are not of low rank, so the size of their shared basis must be given")
        {
            Where = tensor.Info.Name,
            Expected = "adapters, or 'rank'",
            Fix = "Add 'rank: 128' to the parameters: so many singular triples are merged.",
        })
        { WrongUsage = true };
    }
}

using Merge.Sdk;

namespace Merge.TestPlugins.Strategies;

public sealed record IsoCOptions
{
    [Parameter("lambda, scales the merged task vector")]
    [Searchable(0, 2)]
    public double Lambda { get; init; } = 1;
}

/// <summary>
/// Isotropic merging: the summed task vectors with every singular value replaced by their mean. Tensors that are not
/// matrices are averaged.
/// </summary>
public sealed class IsoC : MergeStrategy<IsoCOptions>
{
    public override StrategyInfo Info => new("iso_c", "Iso-C", "arXiv:2502.04959", InputRole.Required);

    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, IsoCOptions options)
    {
        if (tensor.Info.Rank != 2)
        {
            var share = options.Lambda / tensor.ModelCount;
            return TensorMerge.CombineDeltas([.. Enumerable.Repeat(share, tensor.ModelCount)]);
        }
        var sum = await tensor.Materialize(b => TaskVectors.Sum(b.Deltas));
        var svd = tensor.LinearAlgebra.Svd(sum);
        var directions = tensor.LinearAlgebra.Multiply(svd.U, svd.Vt);
        var mean = svd.Sigma.Average();
        return TensorMerge.From(b => b.Base + (options.Lambda * mean * b.View(directions)));
    }
}

using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>The parameters of <c>ties</c>, as mergekit has them.</summary>
public sealed record TiesOptions() : TaskVectorOptions(normalize: true)
{
    /// <summary>Share of the task vector's elements that stays: the largest.</summary>
    [Parameter("Share of the task vector's elements that stays, the largest; 1 keeps all", Bounds = "(0, inf)")]
    [Searchable(0.05, 1)]
    public PerModel<double> Density { get; init; } = 1;

    /// <summary>Whether a trimmed task vector gets back the L1 norm it had.</summary>
    [Parameter("Give a trimmed task vector back the L1 norm it had")]
    public bool Rescale { get; init; }
}

/// <summary>
/// TIES merging (Yadav et al. 2023, arXiv:2306.01708): trim each task vector to its largest elements, elect the sign
/// of every element by the weighted sum, add what agrees.
/// </summary>
public sealed class TiesMerge : MergeStrategy<TiesOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "ties", "TIES", "arXiv:2306.01708", InputRole.Required,
        Formula: "theta_0 + lambda sum_agreeing x_i / sum_agreeing w_i, x_i = w_i trim(theta_i - theta_0)");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, TiesOptions options)
    {
        var cuts = await tensor.EachModel(
            i => Trim.Largest(tensor, i, Trim.Kept(tensor.Info, options.Density[i])));
        Mask?[] masks = [.. cuts.Select(Trim.Above)];
        var factors = options.Rescale
            ? L1Norm.Factors(masks, await L1Norm.BeforeAndAfter(tensor, masks))
            : null;
        return new TaskVectorSum(options, masks, factors).Elected();
    }
}

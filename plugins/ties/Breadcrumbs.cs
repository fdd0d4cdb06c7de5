using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>
/// Model breadcrumbs (Davari and Belilovsky 2023, arXiv:2312.06795): of each task vector drop the largest elements, as
/// outliers, and the smallest, as noise.
/// </summary>
public abstract class Breadcrumbs : MergeStrategy<BreadcrumbsOptions>
{
    private protected Breadcrumbs()
    {
    }

    private protected abstract TensorMerge Merge(TaskVectorSum sum);

    /// <inheritdoc/>
    protected sealed override async ValueTask<TensorMerge> Plan(TensorScan tensor, BreadcrumbsOptions options)
    {
        var dropped = Enumerable.Range(0, tensor.ModelCount)
            .Select(i => Dropped(tensor.Info, options.Density[i], options.Gamma[i])).ToList();
        var low = tensor.EachModel(i => Trim.Largest(tensor, i, tensor.Info.Count - dropped[i].Bottom));
        var high = tensor.EachModel(i => Trim.Largest(tensor, i, dropped[i].Top));
        Mask?[] masks = [.. (await low).Zip(await high).Select((cut, i) => Trim.Between(cut.First, cut.Second, i))];
        var factors = options.Rescale
            ? L1Norm.Factors(masks, await L1Norm.BeforeAndAfter(tensor, masks))
            : null;
        return Merge(new TaskVectorSum(options, masks, factors));
    }

    /// <summary>How many of the largest and of the smallest go. What stays comes first: top gives way.</summary>
    private static (long Top, long Bottom) Dropped(TensorInfo tensor, double density, double gamma)
    {
        var most = tensor.Count - Trim.Kept(tensor, density);
        var top = Math.Min((long)(gamma * tensor.Count), most);
        return (top, most - top);
    }
}

/// <summary>Breadcrumbs, all that stays added up.</summary>
public sealed class BreadcrumbsMerge : Breadcrumbs
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "breadcrumbs", "Model breadcrumbs", "arXiv:2312.06795", InputRole.Required,
        Formula: "theta_0 + lambda sum_i w_i m_i (theta_i - theta_0), m_i without the largest and the smallest");

    private protected override TensorMerge Merge(TaskVectorSum sum) => sum.Plain();
}

/// <summary>Breadcrumbs, of what stays only that added up which agrees in sign.</summary>
public sealed class BreadcrumbsTiesMerge : Breadcrumbs
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "breadcrumbs_ties", "Model breadcrumbs with TIES", "arXiv:2312.06795", InputRole.Required,
        Formula: "theta_0 + lambda sum_agreeing w_i m_i (theta_i - theta_0), m_i without the largest and the smallest");

    private protected override TensorMerge Merge(TaskVectorSum sum) => sum.Elected();
}

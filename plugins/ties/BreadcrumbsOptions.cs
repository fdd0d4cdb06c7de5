using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>The parameters of <c>breadcrumbs</c> and <c>breadcrumbs_ties</c>, as mergekit has them.</summary>
public sealed record BreadcrumbsOptions() : TaskVectorOptions(normalize: false)
{
    /// <summary>Share of the task vector's elements that stays.</summary>
    [Parameter("Share of the task vector's elements that stays; 1 keeps all", Bounds = "(0, inf)")]
    [Searchable(0.05, 1)]
    public PerModel<double> Density { get; init; } = 1;

    /// <summary>γ: share of the largest elements, dropped as outliers.</summary>
    [Parameter("gamma, share of the task vector's largest elements that is dropped; less where density asks for more",
        Bounds = "[0, 1]")]
    [Searchable(0, 0.1)]
    public PerModel<double> Gamma { get; init; } = 0.01;

    /// <summary>Whether a masked task vector gets back the L1 norm it had.</summary>
    [Parameter("Give a masked task vector back the L1 norm it had")]
    public bool Rescale { get; init; }
}

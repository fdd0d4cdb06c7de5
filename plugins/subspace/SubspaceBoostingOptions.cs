using Merge.Sdk;

namespace Merge.Plugin.Subspace;

/// <summary>The merge whose singular values are raised.</summary>
public enum BoostedMerge
{
    /// <summary>Σ w_i Δ_i.</summary>
    TaskArithmetic,
    /// <summary>TIES: trimmed, signs elected, what agrees averaged.</summary>
    Ties,
}

/// <summary>The parameters of <c>subspace_boosting</c>.</summary>
public sealed record SubspaceBoostingOptions
{
    /// <summary>w_i.</summary>
    [Parameter("Weight of the model's task vector; negative takes the task away")]
    [Searchable(0, 1)]
    public PerModel<double> Weight { get; init; } = 1;

    /// <summary>How the task vectors are merged before.</summary>
    [Parameter("How the task vectors are merged before their singular values are raised")]
    public BoostedMerge Merge { get; init; }

    /// <summary>Of TIES.</summary>
    [Parameter("Share of a task vector's elements that stays, the largest; of ties only", Bounds = "(0, 1]")]
    [Searchable(0.1, 1)]
    public PerModel<double> Density { get; init; } = 0.2;

    /// <summary>β.</summary>
    [Parameter("beta, share of the sum of all singular values above which they are raised", Bounds = "[0, 1]")]
    [Searchable(0, 0.5)]
    public double Beta { get; init; } = 0.2;

    /// <summary>λ.</summary>
    [Parameter("lambda, scales the merged task vector")]
    [Searchable(0, 1.5)]
    public double Lambda { get; init; } = 1;
}

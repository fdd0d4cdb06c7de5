using Merge.Sdk;

namespace Merge.Plugin.Subspace;

/// <summary>The parameters of <c>iso_c</c> and <c>tsv_merge</c>.</summary>
public record SubspaceOptions
{
    /// <summary>λ.</summary>
    [Parameter("lambda, scales the merged task vector")]
    [Searchable(0, 2)]
    public double Lambda { get; init; } = 1;
}

/// <summary>The parameters of <c>iso_cts</c>.</summary>
public sealed record IsoCtsOptions : SubspaceOptions
{
    /// <summary>The common directions' share.</summary>
    [Parameter("Share of the directions that are common to all tasks; the rest is divided among the tasks", Bounds = "[0, 1]")]
    [Searchable(0.4, 1)]
    public double CommonFraction { get; init; } = 0.8;
}

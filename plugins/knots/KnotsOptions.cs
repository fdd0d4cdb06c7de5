using Merge.Sdk;

namespace Merge.Plugin.Knots;

/// <summary>The parameters of <c>knots</c>.</summary>
public sealed record KnotsOptions
{
    /// <summary>w_i.</summary>
    [Parameter("Weight of the model's task vector; negative takes the task away")]
    [Searchable(0, 1)]
    public PerModel<double> Weight { get; init; } = 1;

    /// <summary>Share of V_i's elements that stays: the largest.</summary>
    [Parameter("Share of the elements of V_i that stays, the largest; 1 keeps all", Bounds = "(0, 1]")]
    [Searchable(0.05, 1)]
    public PerModel<double> Density { get; init; } = 1;

    /// <summary>Whether signs are elected (TIES), or the V_i are added up (task arithmetic).</summary>
    [Parameter("Elect the sign of every element of V and average what agrees (TIES); false adds everything up")]
    public bool Elect { get; init; } = true;

    /// <summary>λ: scales the merged change.</summary>
    [Parameter("lambda, scales the merged task vector")]
    [Searchable(0, 1.5)]
    public double Lambda { get; init; } = 1;

    /// <summary>Singular triples of the shared basis; null: the ranks of the adapters added up.</summary>
    [Parameter("Singular triples of the shared basis; absent: all, which adapters have few of", Bounds = "[1, inf)")]
    public int? Rank { get; init; }
}

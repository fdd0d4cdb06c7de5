using Merge.Sdk;

namespace PluginNamespace;

/// <summary>The parameters a recipe may give.</summary>
public sealed record PluginClassOptions
{
    [Parameter("lambda, scales the merged task vector")]
    [Searchable(0, 2)]
    public double Lambda { get; init; } = 1;
}

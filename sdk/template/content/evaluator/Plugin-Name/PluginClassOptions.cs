using Merge.Sdk;

namespace PluginNamespace;

/// <summary>The parameters a recipe may give.</summary>
public sealed record PluginClassOptions
{
    [Parameter("Magnitude below which a weight is small", Bounds = "(0, inf)")]
    public double Limit { get; init; } = 0.01;
}

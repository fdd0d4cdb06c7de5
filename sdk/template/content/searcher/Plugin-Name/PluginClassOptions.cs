using Merge.Sdk;

namespace PluginNamespace;

/// <summary>The parameters a recipe may give.</summary>
public sealed record PluginClassOptions
{
    [Parameter("Points a generation", Bounds = "[1, 1000]")]
    public int Population { get; init; } = 8;

    [Parameter("First step, as a share of the range", Bounds = "(0, 1]")]
    public double Step { get; init; } = 0.2;
}

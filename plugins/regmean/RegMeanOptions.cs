using Merge.Sdk;

namespace Merge.Plugin.RegMean;

/// <summary>The parameters of <c>regmean</c>.</summary>
public sealed record RegMeanOptions
{
    /// <summary>The side input's name.</summary>
    internal const string Grams = "gram";

    /// <summary>Where the G_i are.</summary>
    [Parameter("File of the Gram matrices X^T X of the inputs of the model's linear layers, each under its weight's name", Required = true)]
    [SideInput(Grams, SideShape.InputGram)]
    public PerModel<string?> GramPath { get; init; }

    /// <summary>α.</summary>
    [Parameter("alpha, what the Gram matrices' elements off the diagonal are multiplied by", Bounds = "[0, 1]")]
    [Searchable(0.1, 0.95)]
    public double Alpha { get; init; } = 0.9;
}

using System.Globalization;
using Merge.Sdk;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Merge.Sample.OwnYaml;

/// <summary>The parameters of <c>layer_table</c>.</summary>
public sealed record LayerTableOptions
{
    /// <summary>Coefficients by parts of tensor names.</summary>
    [Parameter("YAML mapping of parts of tensor names to the share of the model, such as '{mlp: 0.7, attn: 0.2}'; the rest is the base")]
    public string Table { get; init; } = "{}";
}

/// <summary>(1 − α)θ_0 + αθ_1, α by the tensor's name from a table that the plugin reads with a YAML library of its own.</summary>
public sealed class LayerTable : MergeStrategy<LayerTableOptions>
{
    private static readonly string _library = $"YamlDotNet {typeof(YamlStream).Assembly.GetName().Version!.ToString(3)}";

    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "layer_table", "Layer table", Base: InputRole.Required, MaxModels: 1,
        Formula: $"(1 - alpha) theta_0 + alpha theta_1, alpha by name (read by {_library})");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, LayerTableOptions options)
    {
        var share = Read(options.Table).FirstOrDefault(e => tensor.Info.Name.Contains(e.Part, StringComparison.Ordinal)).Share;
        return ValueTask.FromResult(TensorMerge.Combine([share], 1 - share));
    }

    private static List<(string Part, double Share)> Read(string table)
    {
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(table));
            return [.. ((YamlMappingNode)yaml.Documents[0].RootNode).Children.Select(entry =>
                (((YamlScalarNode)entry.Key).Value!, double.Parse(((YamlScalarNode)entry.Value).Value!, CultureInfo.InvariantCulture)))];
        }
        catch (Exception e) when (e is YamlException or InvalidCastException or FormatException)
        {
            throw new MergeException(new Diagnostic($"'table' is no mapping of names to numbers: {e.Message}")
            {
                Expected = "{mlp: 0.7, attn: 0.2}",
            })
            { WrongUsage = true };
        }
    }
}

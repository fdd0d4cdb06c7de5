using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>
/// Reads a tensor's layer and part off its name. Names, not a list of architectures: a model nobody has heard of is
/// understood as far as its names are conventional.
/// </summary>
internal static partial class TensorNaming
{
    public static TensorInfo Describe(string name, ImmutableArray<long> shape) =>
        new(name, shape, KindOf(name, shape.Length), LayerOf(name));

    /// <summary>The name cut at its layer number; null outside numbered layers.</summary>
    public static LayerName? Split(string name)
    {
        if (LayerOf(name) is not { } layer)
            return null;
        var number = LayerNumber().Match(name).Groups["n"];
        return new(name[..number.Index], layer, name[(number.Index + number.Length)..]);
    }

    /// <summary>
    /// Whether a tensor outside the layers comes before them: embeddings, and whatever has to do with embedding by its
    /// name (an embedding's norm, patches, positions, class tokens). All others, such as the final norm, a pooler or the
    /// head, come after.
    /// </summary>
    public static bool IsBeforeLayers(string name, int rank) => KindOf(name, rank) switch
    {
        TensorKind.Embedding => true,
        TensorKind.Head => false,
        _ => BeforeName().IsMatch(name),
    };

    /// <summary>The number after the first <c>layers.</c>, <c>h.</c>, <c>blocks.</c> … of the name.</summary>
    public static int? LayerOf(string name) =>
        LayerNumber().Match(name) is { Success: true } match
        && int.TryParse(match.Groups["n"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var layer)
            ? layer
            : null;

    public static TensorKind KindOf(string name, int rank)
    {
        var inLayer = LayerOf(name) is not null;
        if (!inLayer && rank == 2 && EmbeddingName().IsMatch(name))
            return TensorKind.Embedding;
        if (!inLayer && HeadName().IsMatch(name))
            return name.EndsWith(".bias", StringComparison.Ordinal) ? TensorKind.Bias : TensorKind.Head;
        if (rank <= 1 && NormName().IsMatch(name))
            return TensorKind.Norm;
        return name.EndsWith("bias", StringComparison.Ordinal) ? TensorKind.Bias : TensorKind.Weight;
    }

    [GeneratedRegex(@"(^|\.)(layers?|h|blocks?|block|resblocks)\.(?<n>\d+)(\.|$)", RegexOptions.CultureInvariant)]
    private static partial Regex LayerNumber();

    [GeneratedRegex(
        @"(^|\.)(embed_tokens|wte|wpe|word_embeddings|position_embeddings|token_type_embeddings|tok_embeddings|embed_in|embeddings?|shared)\.weight$",
        RegexOptions.CultureInvariant)]
    private static partial Regex EmbeddingName();

    [GeneratedRegex(
        @"(^|\.)(lm_head|embed_out|output|score|classifier|head|qa_outputs|cls\.predictions\.decoder)\.(weight|bias)$",
        RegexOptions.CultureInvariant)]
    private static partial Regex HeadName();

    [GeneratedRegex(
        @"embed|(^|[._])(wte|wpe|tok|pos|patch|patches|stem|rotary|class_token|cls_token|conv1|conv2|ln_pre|pre_?(layer_?)?norm|pre_layrnorm)([._]|$)",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex BeforeName();

    [GeneratedRegex(@"(norm|ln_|layernorm|ln\d?\.|bn\d?\.)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex NormName();
}

/// <summary>A tensor's name in three: <c>model.layers.</c>, <c>3</c>, <c>.mlp.up_proj.weight</c>.</summary>
/// <param name="Stack">What all layers of one stack share.</param>
/// <param name="Suffix">Empty or from the dot on.</param>
internal readonly record struct LayerName(string Stack, int Layer, string Suffix);

using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>Which of a checkpoint's tensors have a row for each token.</summary>
internal static partial class TokenEmbedding
{
    /// <summary>The embedding of tokens (not of positions or segments); null where there is none.</summary>
    public static TensorSource? Of(Checkpoint checkpoint)
    {
        var size = VocabularySize(checkpoint.Config);
        return checkpoint.Tensors.Values
            .Where(t => TensorNaming.KindOf(t.Name, t.Shape.Length) == TensorKind.Embedding && !OtherName().IsMatch(t.Name))
            .OrderByDescending(t => t.Shape[0] == size).ThenBy(t => t.Name, StringComparer.Ordinal)
            .FirstOrDefault();
    }

    /// <summary>Whether a tensor of this name has a row a token: an embedding, a head or a head's bias.</summary>
    public static bool HasTokenRows(string name, int rank) => rank switch
    {
        1 => IsHead(name) && name.EndsWith(".bias", StringComparison.Ordinal),
        2 => TensorNaming.KindOf(name, rank) is TensorKind.Head
            || (TensorNaming.KindOf(name, rank) is TensorKind.Embedding && !OtherName().IsMatch(name)),
        _ => false,
    };

    /// <summary>Whether it leads from hidden states to tokens, so that an embedding may stand for it.</summary>
    public static bool IsHead(string name) => TensorNaming.LayerOf(name) is null && HeadName().IsMatch(name);

    private static long? VocabularySize(JsonObject? config) =>
        Number(config?["vocab_size"]) ?? Number((config?["text_config"] as JsonObject)?["vocab_size"]);

    private static long? Number(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<long>(out var number) ? number : null;

    [GeneratedRegex(
        @"(^|\.)(wpe|position_embeddings?|token_type_embeddings|embed_positions)\.", RegexOptions.CultureInvariant)]
    private static partial Regex OtherName();

    [GeneratedRegex(
        @"(^|\.)(lm_head|embed_out|output|cls\.predictions\.decoder)\.(weight|bias)$", RegexOptions.CultureInvariant)]
    private static partial Regex HeadName();
}

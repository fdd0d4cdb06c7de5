using System.Text.Json.Nodes;
using Merge.Checkpoints;

namespace Merge.Planning;

/// <summary>A checkpoint under the name the recipe gives it.</summary>
internal sealed record PlannedModel(string Text, Checkpoint Checkpoint)
{
    /// <summary>
    /// Whether the output head is the embedding: its config says so, or says nothing (some classes of models tie unless
    /// told otherwise) and there is no head.
    /// </summary>
    public bool TiesHead { get; } = Ties(Checkpoint);

    public TensorSource? Find(string name) => Checkpoint.Tensors.GetValueOrDefault(name);

    private static bool Ties(Checkpoint checkpoint)
    {
        if (checkpoint.Config is not { } config)
            return false;
        bool?[] flags = [Flag(config), config["text_config"] is JsonObject text ? Flag(text) : null];
        return flags.FirstOrDefault(f => f is true) ?? flags.FirstOrDefault(f => f is not null)
            ?? (TokenEmbedding.Of(checkpoint) is not null && !checkpoint.Tensors.Keys.Any(TiedHeads.IsHeadWeight));
    }

    private static bool? Flag(JsonObject config) =>
        config["tie_word_embeddings"] is JsonValue value && value.TryGetValue<bool>(out var tied) ? tied : null;
}

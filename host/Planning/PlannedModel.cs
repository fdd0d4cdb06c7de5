using System.Text.Json.Nodes;
using Merge.Checkpoints;

namespace Merge.Planning;

/// <summary>A checkpoint under the name the recipe gives it.</summary>
internal sealed record PlannedModel(string Text, Checkpoint Checkpoint)
{
    /// <summary>Whether its config says that the output head is the embedding.</summary>
    public bool TiesHead => Checkpoint.Config is { } config
        && (Flag(config) || (config["text_config"] is JsonObject text && Flag(text)));

    public StoredTensor? Find(string name) => Checkpoint.Tensors.GetValueOrDefault(name);

    private static bool Flag(JsonObject config) =>
        config["tie_word_embeddings"] is JsonValue value && value.TryGetValue<bool>(out var tied) && tied;
}

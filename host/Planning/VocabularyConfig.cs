using System.Text.Json.Nodes;

namespace Merge.Planning;

/// <summary>Makes the output's config say how many rows its embedding has, and whether its head is tied to it.</summary>
internal static class VocabularyConfig
{
    private static readonly string[] Sections = ["text_config", "llm_config", "language_config"];

    /// <param name="donor">Whose config it is.</param>
    /// <param name="config">What has been changed of it, or null.</param>
    /// <param name="tensors">The output's.</param>
    /// <param name="tiesHead">What it must say, where it says something else.</param>
    /// <returns>The text; null where the donor has no config that is copied, or nothing changes.</returns>
    public static string? Of(
        PlannedModel donor, string? config, IReadOnlyList<TensorPlan> tensors, bool? tiesHead)
    {
        var embedding = TokenEmbedding.Of(donor.Checkpoint);
        var rows = tensors.FirstOrDefault(t => t.Info.Name == embedding?.Name)?.Info.Shape[0];
        if (donor.Checkpoint is not { Config: not null, Folder: { } folder }
            || (tiesHead is null && (rows is null || rows == embedding!.Shape[0])))
        {
            return config;
        }
        var json = ConfigText.Parse(config ?? File.ReadAllText(Path.Combine(folder, "config.json")));
        JsonObject[] parts = [json, .. Sections.Select(s => json[s]).OfType<JsonObject>()];
        if (rows is { } count && count != embedding!.Shape[0])
        {
            foreach (var part in parts.Where(p => p.ContainsKey("vocab_size")).DefaultIfEmpty(parts[^1]))
                part["vocab_size"] = count;
        }
        if (tiesHead is { } ties)
        {
            foreach (var part in parts.Where(p => p == json || p.ContainsKey("tie_word_embeddings")))
                part["tie_word_embeddings"] = ties;
        }
        return ConfigText.Of(json);
    }
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Vocabulary;

namespace Merge.Merging;

/// <summary>Makes the files beside the weights, copied from the donor, say what the output is.</summary>
internal static class CompanionWriter
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <param name="companions">What differs.</param>
    /// <param name="donor">The folder the files were copied from, if any.</param>
    /// <param name="folder">The output's.</param>
    public static void Write(CompanionFiles companions, string? donor, string folder)
    {
        if (companions.Tokenizer is { } tokenizer)
        {
            if (tokenizer.Source.Folder != donor)
                Replace(tokenizer.Source.Folder, folder);
            tokenizer.Write(folder);
        }
        if (companions.ChatTemplate is { } template)
            ChatTemplate.Write(folder, template);
        ChangeConfig(companions, Path.Combine(folder, "config.json"));
    }

    private static void Replace(string source, string folder)
    {
        foreach (var name in CopiedFiles.Of(folder).Where(CopiedFiles.IsTokenizer))
            File.Delete(Path.Combine(folder, name));
        CopiedFiles.Copy(source, folder, CopiedFiles.IsTokenizer);
    }

    private static void ChangeConfig(CompanionFiles companions, string path)
    {
        if ((companions.VocabularySize is null && companions.TiesHead is null)
            || !File.Exists(path) || JsonNode.Parse(File.ReadAllText(path)) is not JsonObject config)
        {
            return;
        }
        JsonObject[] parts = config["text_config"] is JsonObject text ? [config, text] : [config];
        if (companions.VocabularySize is { } rows)
        {
            foreach (var part in parts.Where(p => p.ContainsKey("vocab_size")).DefaultIfEmpty(parts[^1]))
                part["vocab_size"] = rows;
        }
        if (companions.TiesHead is { } ties)
        {
            foreach (var part in parts.Where(p => p == config || p.ContainsKey("tie_word_embeddings")))
                part["tie_word_embeddings"] = ties;
        }
        File.WriteAllText(path, config.ToJsonString(Indented) + "\n");
    }
}

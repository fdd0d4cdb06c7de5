using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Vocabulary;

/// <summary>What makes the source's tokenizer the output's. Without changes its files stay, to the byte.</summary>
/// <param name="Source">The tokenizer the output's begins with.</param>
/// <param name="Removed">Its tokens that have no row.</param>
/// <param name="Added">New tokens with their ids, in order.</param>
internal sealed record TokenizerEdit(Tokenizer Source, IReadOnlyList<string> Removed, IReadOnlyList<AddedToken> Added)
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private bool IsNone => Removed.Count == 0 && Added.Count == 0;

    /// <exception cref="MergeException">The tokenizer cannot be changed so.</exception>
    public static TokenizerEdit Of(Tokenizer source, IReadOnlyList<string> removed, IReadOnlyList<AddedToken> added)
    {
        var edit = new TokenizerEdit(source, removed, added);
        if (edit.IsNone || (source.IsFast && (!source.IsList || removed.All(source.Added.ContainsKey))))
            return edit;
        var what = removed.Count > 0
            ? $"the tokenizer has tokens behind the embedding's last row, which must go: {TokenText.List(removed)}"
            : $"tokens must be added to the tokenizer: {TokenText.List([.. added.Select(t => t.Content)])}";
        throw new MergeException(new Diagnostic(what)
        {
            Where = source.Path,
            Expected = source.IsFast ? "a tokenizer of kind BPE, WordPiece or WordLevel" : "a tokenizer.json",
            Fix = source.IsFast
                ? "Take another model's tokenizer as the source."
                : "Save the tokenizer again with its library (transformers: AutoTokenizer, use_fast=True).",
        });
    }

    /// <summary>Changes the files of a folder that holds copies of the source's.</summary>
    public void Write(string folder)
    {
        if (IsNone)
            return;
        Change(Path.Combine(folder, Tokenizer.FileName), ChangeTokenizer);
        Change(Path.Combine(folder, Tokenizer.ConfigName), ChangeConfig);
        Change(Path.Combine(folder, Tokenizer.AddedName), ChangeAddedTokens);
    }

    private void ChangeTokenizer(JsonObject json)
    {
        var removed = Removed.ToHashSet(StringComparer.Ordinal);
        if (json["added_tokens"] is not JsonArray list)
            json["added_tokens"] = list = [];
        foreach (var entry in list.Where(e => removed.Contains((string)e!["content"]!)).ToArray())
            list.Remove(entry);
        foreach (var token in Added)
        {
            var entry = Properties(token);
            entry.Insert(0, "id", token.Id);
            list.Add(entry);
        }
        if (removed.Any(token => !Source.Added.ContainsKey(token)) && json["model"] is JsonObject model)
            RemoveFrom(model, removed);
    }

    private static void RemoveFrom(JsonObject model, HashSet<string> removed)
    {
        foreach (var token in removed)
            ((JsonObject)model["vocab"]!).Remove(token);
        if (model["merges"] is not JsonArray merges)
            return;
        // A merge is "left right" or ["left", "right"]; without its parts or its result it has no meaning.
        model["merges"] = new JsonArray(
            [.. merges.Where(m => !Parts(m!).Any(removed.Contains)).Select(m => m!.DeepClone())]);

        static IEnumerable<string> Parts(JsonNode merge)
        {
            string[] parts = merge is JsonArray pair ? [.. pair.Select(p => (string)p!)] : ((string)merge!).Split(' ');
            return parts.Append(string.Concat(parts));
        }
    }

    private void ChangeConfig(JsonObject config)
    {
        if (config["added_tokens_decoder"] is not JsonObject decoder)
            return;
        var removed = Removed.ToHashSet(StringComparer.Ordinal);
        foreach (var (id, _) in decoder.Where(e => e.Value?["content"] is { } c && removed.Contains((string)c!)).ToArray())
            decoder.Remove(id);
        foreach (var token in Added)
            decoder[token.Id.ToString()] = Properties(token);
    }

    private void ChangeAddedTokens(JsonObject ids)
    {
        foreach (var token in Removed)
            ids.Remove(token);
        foreach (var token in Added)
            ids[token.Content] = token.Id;
    }

    private static JsonObject Properties(AddedToken token) => new()
    {
        ["content"] = token.Content,
        ["single_word"] = token.SingleWord,
        ["lstrip"] = token.LStrip,
        ["rstrip"] = token.RStrip,
        ["normalized"] = token.Normalized,
        ["special"] = token.Special,
    };

    private static void Change(string path, Action<JsonObject> change)
    {
        if (!File.Exists(path) || JsonNode.Parse(JsonFile.Read(path)) is not JsonObject json)
            return;
        change(json);
        File.WriteAllText(path, json.ToJsonString(Indented) + "\n");
    }
}

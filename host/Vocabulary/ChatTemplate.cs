using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Merge.Checkpoints;

namespace Merge.Vocabulary;

/// <summary>How a model wants conversations written: a Jinja text beside its tokenizer.</summary>
internal static class ChatTemplate
{
    public const string FileName = "chat_template.jinja";

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The template of a model's folder, trimmed; null where it has none. A file of its own goes first.</summary>
    public static string? Read(string folder)
    {
        var own = Path.Combine(folder, FileName);
        if (File.Exists(own))
            return NullIfEmpty(File.ReadAllText(own));
        return new[] { Tokenizer.ConfigName, "chat_template.json" }
            .Select(name => JsonFile.ReadObject(Path.Combine(folder, name))?["chat_template"])
            .Select(template => NullIfEmpty(Text(template))).FirstOrDefault(t => t is not null);
    }

    /// <summary>The most common one; of equally common ones the first.</summary>
    public static string? MostCommon(IEnumerable<string?> templates) => templates.OfType<string>()
        .GroupBy(t => t, StringComparer.Ordinal)
        .MaxBy(g => g.Count())?.Key;

    /// <summary>Puts a template where the folder's own would stand.</summary>
    public static void Write(string folder, string template)
    {
        var config = Path.Combine(folder, Tokenizer.ConfigName);
        var own = Path.Combine(folder, FileName);
        var json = JsonFile.ReadObject(config);
        if (json is null || File.Exists(own))
            File.WriteAllText(own, template);
        if (json is null || (File.Exists(own) && !json.ContainsKey("chat_template")))
            return;
        json["chat_template"] = template;
        File.WriteAllText(config, json.ToJsonString(Indented) + "\n");
    }

    // One text, or several by name, of which 'default' is the one for conversations.
    private static string? Text(JsonNode? template) => template switch
    {
        JsonValue text when text.TryGetValue<string>(out var value) => value,
        JsonObject byName => Text(byName["default"]),
        JsonArray list => Text(list.OfType<JsonObject>().FirstOrDefault(t => (string?)t["name"] == "default")?["template"]),
        _ => null,
    };

    private static string? NullIfEmpty(string? text) => text?.Trim() is { Length: > 0 } trimmed ? trimmed : null;
}

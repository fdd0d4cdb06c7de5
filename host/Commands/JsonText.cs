using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>JSON as the commands print it: one object on one line, written without reflection.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(Action<Utf8JsonWriter> fields)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            fields(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    public static void Write(Utf8JsonWriter json, string name, IEnumerable<Diagnostic> diagnostics)
    {
        json.WriteStartArray(name);
        foreach (var diagnostic in diagnostics)
        {
            json.WriteStartObject();
            json.WriteString("severity", diagnostic.Severity == Severity.Error ? "error" : "warning");
            json.WriteString("found", diagnostic.Found);
            WriteIfThere(json, "expected", diagnostic.Expected);
            WriteIfThere(json, "where", diagnostic.Where);
            WriteIfThere(json, "fix", diagnostic.Fix);
            json.WriteString("actor", diagnostic.Actor switch
            {
                Actor.User => "user",
                Actor.PluginAuthor => "plugin author",
                _ => "developers",
            });
            WriteIfThere(json, "plugin", diagnostic.Plugin);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteIfThere(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
            json.WriteString(name, value);
    }
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Merge.Planning;

/// <summary>
/// A config.json read to be changed. Python's json writes Infinity and NaN: as numbers too large for it, which it reads
/// as infinite, they stay.
/// </summary>
internal static partial class ConfigText
{
    private const string Nan = "9e9999";

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <param name="text">An object that has been read before.</param>
    public static JsonObject Parse(string text) => JsonNode.Parse(NotFinite().Replace(
        text, found => found.Value switch { "NaN" => Nan, "Infinity" => "1e999", _ => "-1e999" }))!.AsObject();

    public static string Of(JsonObject config) => config.ToJsonString(Indented).Replace(Nan, "NaN") + "\n";

    [GeneratedRegex(@"(?<=[\[:,]\s*)(NaN|-?Infinity)(?=\s*[,\]}])", RegexOptions.CultureInvariant)]
    private static partial Regex NotFinite();
}

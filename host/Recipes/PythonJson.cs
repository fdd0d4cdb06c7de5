using System.Text.Json;
using System.Text.RegularExpressions;

namespace Merge.Recipes;

/// <summary>JSON as Python writes it: with the bare words <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c>.</summary>
internal static partial class PythonJson
{
    /// <summary>Parses it; those words become texts, which <see cref="Number"/> takes for numbers again.</summary>
    /// <exception cref="JsonException">It is no JSON otherwise either.</exception>
    public static JsonDocument Parse(string text)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException) when (BareWord().IsMatch(text))
        {
            return JsonDocument.Parse(BareWord().Replace(text, m => m.Groups[1].Success ? $"\"{m.Value}\"" : m.Value));
        }
    }

    /// <summary>A number, or one of those words; else null.</summary>
    public static double? Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String => NotFinite(value.GetString()!),
        _ => null,
    };

    /// <summary>NaN or an infinity by the names that programs print; null for other texts.</summary>
    public static double? NotFinite(string text) => text.ToLowerInvariant() switch
    {
        "nan" or "-nan" or "+nan" => double.NaN,
        "infinity" or "inf" or "+inf" => double.PositiveInfinity,
        "-infinity" or "-inf" => double.NegativeInfinity,
        _ => null,
    };

    // Texts are passed over whole: what they hold is not touched.
    [GeneratedRegex(@"""(?>(?:[^""\\]|\\.)*)""|(NaN|-?Infinity)", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex BareWord();
}

using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Merge.Recipes;

/// <summary>
/// <see cref="YamlNode"/>s → text that reads back as the same nodes: mappings and lists in blocks, lists of words and
/// mappings of words on one line.
/// </summary>
internal static partial class YamlText
{
    private static readonly JsonSerializerOptions Quoting = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A document.</summary>
    public static string Of(YamlMap map)
    {
        var text = new StringBuilder();
        foreach (var entry in map.Entries)
            Append(text, entry, 0);
        return text.ToString();
    }

    /// <summary>A value on one line.</summary>
    public static string Inline(YamlNode node) => node switch
    {
        YamlScalar scalar => Scalar(scalar),
        YamlList list => $"[{string.Join(", ", list.Items.Select(Inline))}]",
        _ => $"{{{string.Join(", ", ((YamlMap)node).Entries.Select(e => $"{Scalar(new(e.Key, false, 0))}: {Inline(e.Value)}"))}}}",
    };

    private static void Append(StringBuilder text, YamlEntry entry, int indent)
    {
        text.Append(' ', indent).Append(Scalar(new(entry.Key, false, 0))).Append(':');
        AppendValue(text, entry.Value, indent);
    }

    private static void AppendValue(StringBuilder text, YamlNode value, int indent)
    {
        if (IsShort(value))
        {
            text.Append(' ').Append(Inline(value)).Append('\n');
            return;
        }
        text.Append('\n');
        if (value is YamlMap map)
        {
            foreach (var entry in map.Entries)
                Append(text, entry, indent + 2);
            return;
        }
        foreach (var item in ((YamlList)value).Items)
        {
            if (IsShort(item))
            {
                text.Append(' ', indent + 2).Append("- ").Append(Inline(item)).Append('\n');
                continue;
            }
            if (item is not YamlMap inner)
            {
                text.Append(' ', indent + 2).Append('-');
                AppendValue(text, item, indent + 2);
                continue;
            }
            var start = text.Length;
            foreach (var entry in inner.Entries)
                Append(text, entry, indent + 4);
            text[start + indent + 2] = '-';
        }
    }

    // What has no further structure, and fits a line.
    private static bool IsShort(YamlNode node) => node switch
    {
        YamlScalar => true,
        YamlList list => list.Items.All(i => i is YamlScalar) || list.Items.Count == 0,
        _ => ((YamlMap)node).Entries is { Count: <= 2 } entries && entries.All(e => e.Value is YamlScalar),
    };

    private static string Scalar(YamlScalar scalar) => scalar switch
    {
        { Quoted: false } when Plain().IsMatch(scalar.Text) => scalar.Text,
        { IsNull: true } => "null",
        _ => JsonSerializer.Serialize(scalar.Text, Quoting),
    };

    // Nothing that means something in YAML, inside [ ] and { } too.
    [GeneratedRegex(@"^[A-Za-z0-9_./+\-][A-Za-z0-9_./+@\-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}

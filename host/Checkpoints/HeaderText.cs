using System.Buffers.Binary;
using System.Text;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>
/// The bytes of a header as the safetensors library writes them: compact, escaping only what JSON must escape, padded
/// with spaces to 8 bytes. (Utf8JsonWriter escapes more than that.)
/// </summary>
internal static class HeaderText
{
    /// <summary>Refuses half characters instead of replacing them: two names must not become one.</summary>
    public static readonly Encoding Utf8 = new UTF8Encoding(false, throwOnInvalidBytes: true);

    /// <summary>The order of UTF-8 bytes, which ordinal order of UTF-16 leaves above U+FFFF.</summary>
    public static readonly IComparer<string> ByCodePoint =
        Comparer<string>.Create((a, b) => Utf8.GetBytes(a).AsSpan().SequenceCompareTo(Utf8.GetBytes(b)));

    /// <summary>Length, JSON and padding for tensors that lie one after another in this order.</summary>
    /// <exception cref="MergeException">The header is longer than readers accept.</exception>
    public static byte[] Header(IReadOnlyList<OutputTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var text = new StringBuilder("{");
        if (metadata.Count > 0)
        {
            text.Append("\"__metadata__\":{");
            foreach (var (key, value) in metadata.OrderBy(p => p.Key, ByCodePoint))
                Quote(Quote(text, key).Append(':'), value).Append(',');
            text[^1] = '}';
            text.Append(',');
        }
        var offset = 0L;
        foreach (var tensor in tensors)
        {
            var end = checked(offset + tensor.Length);
            Quote(text, tensor.Name).Append(":{\"dtype\":\"").Append(DTypeNames.Text(tensor.DType))
                .Append("\",\"shape\":[").AppendJoin(',', tensor.Shape)
                .Append("],\"data_offsets\":[").Append(offset).Append(',').Append(end).Append("]},");
            offset = end;
        }
        if (text.Length > 1)
            text.Length--;
        var json = Utf8.GetBytes(text.Append('}').ToString());
        var padded = (json.Length + 7) / 8 * 8;
        if (padded > CheckpointFile.LongestHeader)
        {
            throw new MergeException(new Diagnostic($"the output's header takes {padded} bytes")
            {
                Expected = $"at most {CheckpointFile.LongestHeader}, the format's limit",
                Fix = "Write smaller shards.",
            });
        }
        var header = new byte[8 + padded];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(header, padded);
        json.CopyTo(header, 8);
        return header;
    }

    /// <summary>Appends a JSON text, quoted.</summary>
    public static StringBuilder Quote(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                < ' ' => text.Append("\\u").Append(((int)c).ToString("x4")),
                _ => text.Append(c),
            };
        }
        return text.Append('"');
    }
}

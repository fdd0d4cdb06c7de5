using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>The names dtypes have in a safetensors header, and the order the format's own writer gives them.</summary>
internal static class DTypeNames
{
    private static readonly DType[] All = Enum.GetValues<DType>();

    private static readonly Dictionary<string, DType> ByName = All.ToDictionary(Text, StringComparer.Ordinal);

    /// <summary>As in the header: <c>BF16</c>, <c>BOOL</c> …</summary>
    public static string Text(DType dtype) => dtype == DType.Bool ? "BOOL" : dtype.ToString();

    public static bool TryParse(string text, out DType dtype) => ByName.TryGetValue(text, out dtype);

    /// <summary>
    /// Ascending alignment: the safetensors library sorts tensors by this, descending. Only C64 stands elsewhere than
    /// in <see cref="DType"/>: between F32 and F64.
    /// </summary>
    public static int Rank(DType dtype) => dtype == DType.C64 ? (2 * (int)DType.F32) + 1 : 2 * (int)dtype;

    /// <summary>The known name that takes the fewest edits to reach.</summary>
    public static string Nearest(string text)
    {
        // A hostile header may hold a name of many megabytes: no known one has more than ten characters.
        var word = text.Length > 20 ? text[..20] : text;
        return ByName.Keys.MinBy(known => Distance(word.ToUpperInvariant(), known))!;
    }

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}

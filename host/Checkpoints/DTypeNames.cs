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

    /// <summary>The known name that a variant adds to, else the one a mistyped name was meant to be; null where none is near.</summary>
    public static string? Nearest(string text) =>
        ByName.Keys.Where(known => text.StartsWith(known, StringComparison.OrdinalIgnoreCase)).MaxBy(known => known.Length)
        ?? NearestMatch.Of(text, ByName.Keys);
}

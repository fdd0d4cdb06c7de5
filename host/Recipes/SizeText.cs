using System.Globalization;

namespace Merge.Recipes;

/// <summary>Sizes as people write them: <c>512MB</c>, <c>1.5GiB</c>, <c>4g</c>; plain numbers are bytes.</summary>
internal static class SizeText
{
    /// <summary>Reads a size of at least a byte.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        var digits = text.TrimEnd("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".ToCharArray());
        var unit = text[digits.Length..].ToLowerInvariant();
        double factor = unit switch
        {
            "" or "b" => 1,
            "k" or "kb" => 1e3,
            "m" or "mb" => 1e6,
            "g" or "gb" => 1e9,
            "t" or "tb" => 1e12,
            "kib" => 1L << 10,
            "mib" => 1L << 20,
            "gib" => 1L << 30,
            "tib" => 1L << 40,
            _ => 0,
        };
        bytes = 0;
        if (factor == 0
            || !double.TryParse(digits.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || number * factor is < 1 or > 1e18)
        {
            return false;
        }
        bytes = (long)(number * factor);
        return true;
    }
}

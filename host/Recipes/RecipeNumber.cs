using System.Globalization;

namespace Merge.Recipes;

/// <summary>
/// Numbers as YAML 1.2's core schema has them and as people write them: <c>1e-13</c>, <c>.5</c>, <c>1.</c>, <c>+3</c>,
/// <c>0x1F</c>, <c>0o17</c>, <c>inf</c>. The readers of YAML 1.1 take some of these for text.
/// </summary>
internal static class RecipeNumber
{
    private const NumberStyles Decimal =
        NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    // Above, a double does not hold every whole number.
    private const double MostExact = 1L << 53;

    /// <summary>Reads a number; infinite where the text says so, and where it is too large for a double.</summary>
    public static bool TryReal(string text, out double value)
    {
        value = 0;
        var unsigned = text.AsSpan(text.StartsWith('+') || text.StartsWith('-') ? 1 : 0);
        if (unsigned is "inf" or ".inf" or ".Inf" or ".INF")
        {
            value = text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }
        if (TryPrefixed(text, out var whole))
        {
            value = (double)whole;
            return true;
        }
        // Keeps out the names .NET has for infinities and NaN.
        return unsigned.Length > 0 && (char.IsAsciiDigit(unsigned[0]) || unsigned[0] == '.')
            && double.TryParse(text, Decimal, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Reads a whole number; <c>10.0</c> and <c>1e3</c> are whole too.</summary>
    public static bool TryWhole(string text, out Int128 value)
    {
        if (TryPrefixed(text, out value)
            || Int128.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value))
        {
            return true;
        }
        if (!TryReal(text, out var real) || !double.IsInteger(real) || Math.Abs(real) > MostExact)
            return false;
        value = (Int128)real;
        return true;
    }

    public static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static bool TryPrefixed(string text, out Int128 value)
    {
        value = 0;
        if (text.Length is < 3 or > 24 || text[0] != '0' || text[1] is not ('x' or 'o'))
            return false;
        var radix = text[1] == 'x' ? 16 : 8;
        foreach (var c in text.AsSpan(2))
        {
            if (!char.IsAsciiHexDigit(c) || Convert.ToInt32(c.ToString(), 16) is var digit && digit >= radix)
                return false;
            value = (value * radix) + Convert.ToInt32(c.ToString(), 16);
        }
        return true;
    }
}

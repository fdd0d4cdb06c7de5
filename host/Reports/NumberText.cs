namespace Merge.Reports;

/// <summary>Numbers as a reader wants them.</summary>
internal static class NumberText
{
    private const string Dash = "–";

    /// <summary>Four significant digits (all of a whole number), a true minus, a dash for what is no number.</summary>
    public static string Of(double? value) => value switch
    {
        null or double.NaN => Dash,
        double.PositiveInfinity => "∞",
        double.NegativeInfinity => "−∞",
        0 => "0",
        _ => WithMinus(Rounded(value.Value)),
    };

    /// <summary>With a sign, for differences.</summary>
    public static string Signed(double? value) => value > 0 ? $"+{Of(value)}" : Of(value);

    /// <summary>Seconds, minutes or hours.</summary>
    public static string Duration(double seconds) => seconds switch
    {
        double.NaN => Dash,
        < 1 => $"{seconds * 1000:0.#} ms",
        < 120 => $"{seconds:0.#} s",
        < 7200 => $"{seconds / 60:0.#} min",
        _ => $"{seconds / 3600:0.#} h",
    };

    /// <summary>At a tick of an axis, with as many decimals as its step needs.</summary>
    public static string Tick(double value, double step)
    {
        if (Math.Max(Math.Abs(value), step) is >= 1e6 or < 1e-4)
            return WithMinus(value == 0 ? "0" : value.ToString("0.##e0"));
        var decimals = Math.Max(0, (int)-Math.Floor(Math.Log10(step) + 1e-9));
        // Plus zero: a tick a little below zero is zero, not minus zero.
        return WithMinus((Math.Round(value, decimals) + 0.0).ToString($"F{decimals}"));
    }

    private static string Rounded(double value)
    {
        var size = Math.Abs(value);
        if (size is >= 1e6 or < 1e-4)
            return value.ToString("0.###e0");
        if (value == Math.Round(value))
            return value.ToString("0");
        return value.ToString($"F{Math.Clamp(3 - (int)Math.Floor(Math.Log10(size)), 0, 4)}");
    }

    private static string WithMinus(string text) => text.Replace('-', '−');
}

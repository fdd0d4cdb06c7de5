namespace Merge.Recipes;

/// <summary>The numbers a parameter may take. An open end at infinity keeps infinity out.</summary>
/// <param name="Text">As the author wrote it.</param>
internal sealed record Interval(string Text, double Low, bool LowIncluded, double High, bool HighIncluded)
{
    /// <summary>Where no bounds are given.</summary>
    public static readonly Interval Finite = new("(-inf, inf)", double.NegativeInfinity, false,
        double.PositiveInfinity, false);

    /// <summary>Reads <c>"[0, 1)"</c> or <c>"(0, inf)"</c>; null where the text is no interval that holds a
    /// number.</summary>
    public static Interval? Parse(string text)
    {
        var trimmed = text.Trim();
        if (trimmed.Length < 5 || trimmed[0] is not ('[' or '(') || trimmed[^1] is not (']' or ')'))
            return null;
        var ends = trimmed[1..^1].Split(',', StringSplitOptions.TrimEntries);
        if (ends.Length != 2 || !RecipeNumber.TryReal(ends[0], out var low)
            || !RecipeNumber.TryReal(ends[1], out var high))
        {
            return null;
        }
        var interval = new Interval(trimmed, low, trimmed[0] == '[', high, trimmed[^1] == ']');
        return low < high || (low == high && interval.Contains(low)) ? interval : null;
    }

    public bool Contains(double value) =>
        (value > Low || (LowIncluded && value == Low)) && (value < High || (HighIncluded && value == High));

    /// <summary>"at least 0", "less than 1"; null for what is in it.</summary>
    public string? Nearest(double value) =>
        Contains(value) || double.IsNaN(value) ? null
        : this == Finite || double.IsInfinity(value) ? "a finite number"
        : value <= Low ? $"{(LowIncluded ? "at least" : "more than")} {RecipeNumber.Text(Low)}"
        : $"{(HighIncluded ? "at most" : "less than")} {RecipeNumber.Text(High)}";

    /// <summary>"a number in [0, 1]", or "a number" where every finite one will do.</summary>
    public string Describe(string number) => this == Finite ? number : $"{number} in {Text}";
}

namespace Merge.Recipes;

/// <summary>Times as people write them: <c>90s</c>, <c>30m</c>, <c>1.5h</c>, <c>500ms</c>; plain numbers are
/// seconds.</summary>
internal static class DurationText
{
    // What a timer of the runtime can wait.
    private const double Longest = 24 * 86400.0;

    /// <summary>Reads a time above 0, at most 24 days.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var trimmed = text.Trim();
        var number = trimmed.TrimEnd("abcdefghijklmnopqrstuvwxyz".ToCharArray());
        var unit = trimmed[number.Length..] switch
        {
            "ms" => 0.001,
            "" or "s" => 1,
            "m" or "min" => 60,
            "h" => 3600.0,
            "d" => 86400,
            _ => double.NaN,
        };
        if (!RecipeNumber.TryReal(number.Trim(), out var count) || !(count * unit is > 0 and <= Longest))
            return false;
        duration = TimeSpan.FromSeconds(count * unit);
        return duration > TimeSpan.Zero;
    }
}

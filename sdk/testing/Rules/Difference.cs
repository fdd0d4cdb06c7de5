namespace Merge.Testing.Rules;

/// <summary>Where two merges differ, in words.</summary>
internal static class Difference
{
    /// <summary>The first element with other bits; null where all are the same.</summary>
    public static string? OfBits(IReadOnlyDictionary<string, float[]> expected, IReadOnlyDictionary<string, float[]> actual)
    {
        foreach (var (name, values) in expected)
        {
            for (var e = 0; e < values.Length; e++)
            {
                if (BitConverter.SingleToInt32Bits(values[e]) != BitConverter.SingleToInt32Bits(actual[name][e]))
                    return $"element {e} of '{name}' is {values[e]:R} and {actual[name][e]:R}";
            }
        }
        return null;
    }

    /// <summary>The largest error beyond the tolerance, which is relative to the tensor's largest value; null where all
    /// are near.</summary>
    public static string? Beyond(
        double tolerance, IReadOnlyDictionary<string, float[]> expected, IReadOnlyDictionary<string, float[]> actual)
    {
        foreach (var (name, values) in expected)
        {
            var allowed = tolerance * Math.Max(1e-30, values.Select(v => Math.Abs((double)v)).DefaultIfEmpty().Max());
            for (var e = 0; e < values.Length; e++)
            {
                // Not '>': a NaN is never near.
                if (!(Math.Abs((double)values[e] - actual[name][e]) <= allowed))
                {
                    return $"element {e} of '{name}' is {actual[name][e]:R}; expected {values[e]:R} "
                        + $"within {allowed.ToString("G2")}";
                }
            }
        }
        return null;
    }
}

namespace Plugins.Tests;

/// <summary>Comparison of arrays within a tolerance.</summary>
internal static class Near
{
    /// <summary>|x − y| ≤ tolerance for every element.</summary>
    public static void All(
        IReadOnlyList<float> expected, IReadOnlyList<float> actual, double tolerance, string what)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var e = 0; e < expected.Count; e++)
        {
            Assert.True(
                Math.Abs((double)expected[e] - actual[e]) <= tolerance,
                $"{what}[{e}] is {actual[e]:R}, expected {expected[e]:R}");
        }
    }

    /// <summary>|x − y| ≤ tolerance · max(1, |x|) for every element: rounding of a few float32 operations.</summary>
    public static void Relative(IReadOnlyList<double> expected, IReadOnlyList<float> actual, double tolerance = 2e-6)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var e = 0; e < expected.Count; e++)
        {
            Assert.True(
                Math.Abs(expected[e] - actual[e]) <= tolerance * Math.Max(1, Math.Abs(expected[e])),
                $"[{e}] is {actual[e]:R}, expected {expected[e]:R}");
        }
    }
}

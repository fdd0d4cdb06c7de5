namespace Merge.Benchmarks;

internal static class Statistics
{
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    public static CopyTime Median(IReadOnlyList<CopyTime> times) =>
        new(Median(times.Select(t => t.Read)), Median(times.Select(t => t.Write)));
}

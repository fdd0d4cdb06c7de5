namespace Merge.Trust;

/// <summary>
/// Kendall's τ-b between two rankings (Kendall 1945): (C − D) / √((n₀ − n₁)(n₀ − n₂)), with C pairs ordered alike, D
/// ordered the other way round, n₀ all pairs, n₁ and n₂ those tied in the one and in the other. In O(n log n), counting
/// exchanges of a merge sort (Knight, "A computer method for calculating Kendall's tau with ungrouped data", 1966).
/// </summary>
internal static class KendallTau
{
    /// <summary>−1 (reversed) to 1 (the same order); NaN where a side has no two different values.</summary>
    /// <param name="a">Scores; a pair with a NaN is left out.</param>
    /// <param name="b">As many.</param>
    public static double Of(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        var counts = PairCounts.Of(a, b);
        var (all, tiedA, tiedB) = (counts.All, counts.TiedInFirst, counts.TiedInSecond);
        return (counts.Alike - counts.Reversed) / Math.Sqrt((double)(all - tiedA) * (all - tiedB));
    }
}

/// <summary>The pairs of two rankings.</summary>
/// <param name="All">n(n − 1)/2.</param>
/// <param name="Alike">Ordered alike, tied in neither.</param>
/// <param name="Reversed">Ordered the other way round.</param>
/// <param name="TiedInFirst">Tied in the first, or in both.</param>
/// <param name="TiedInSecond">Tied in the second, or in both.</param>
/// <param name="TiedInBoth">Tied in both.</param>
internal readonly record struct PairCounts(
    long All, long Alike, long Reversed, long TiedInFirst, long TiedInSecond, long TiedInBoth)
{
    /// <summary>Counts them; values of which either is NaN are left out.</summary>
    public static PairCounts Of(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(a.Count, b.Count);
        (double A, double B)[] points =
            [.. a.Zip(b).Where(p => !double.IsNaN(p.First) && !double.IsNaN(p.Second)).Order()];
        var all = PairsOf(points.Length);
        var tiedInFirst = TiedPairs(points.Select(p => p.A));
        var tiedInBoth = TiedPairs(points);
        double[] second = [.. points.Select(p => p.B)];
        var reversed = SortCountingExchanges(second, new double[second.Length]);
        var tiedInSecond = TiedPairs(second);
        var alike = all - tiedInFirst - tiedInSecond + tiedInBoth - reversed;
        return new(all, alike, reversed, tiedInFirst, tiedInSecond, tiedInBoth);
    }

    private static long PairsOf(long n) => n * (n - 1) / 2;

    private static long TiedPairs<T>(IEnumerable<T> sorted)
    {
        var (pairs, run, last) = (0L, 0L, default(T));
        foreach (var value in sorted)
        {
            run = run > 0 && EqualityComparer<T>.Default.Equals(value, last) ? run + 1 : 1;
            pairs += run - 1;
            last = value;
        }
        return pairs;
    }

    private static long SortCountingExchanges(Span<double> values, Span<double> spare)
    {
        if (values.Length < 2)
            return 0;
        var half = values.Length / 2;
        var exchanges = SortCountingExchanges(values[..half], spare[..half])
            + SortCountingExchanges(values[half..], spare[half..]);
        values.CopyTo(spare);
        var (left, right) = (0, half);
        for (var k = 0; k < values.Length; k++)
        {
            if (right == values.Length || (left < half && spare[left] <= spare[right]))
            {
                values[k] = spare[left++];
                continue;
            }
            exchanges += half - left;
            values[k] = spare[right++];
        }
        return exchanges;
    }
}

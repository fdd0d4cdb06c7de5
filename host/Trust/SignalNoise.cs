namespace Merge.Trust;

/// <summary>
/// How far apart candidates score, against how far apart the same one scores (METHODS §11; Heineman et al.,
/// arXiv:2508.13144): signal = max |m_j − m_k| / mean, noise = std / mean.
/// </summary>
/// <param name="Candidates">How many were measured.</param>
/// <param name="Mean">Mean of their scores.</param>
/// <param name="Spread">max |m_j − m_k| of their mean scores, in the metric's unit.</param>
/// <param name="Deviation">Standard deviation of one measurement, in the metric's unit; NaN where none was repeated.</param>
internal sealed record SignalNoise(int Candidates, double Mean, double Spread, double Deviation)
{
    /// <summary>Spread over |mean|.</summary>
    public double Signal => Spread / Math.Abs(Mean);

    /// <summary>Standard deviation over |mean|.</summary>
    public double Noise => Deviation / Math.Abs(Mean);

    /// <summary>Signal over noise: infinite for an evaluator that repeats itself exactly, NaN where nothing differs.</summary>
    public double Ratio => Spread / Deviation;

    /// <summary>Two single measurements that differ by less than this may be of equal candidates (95 %): 1.96 √2 σ.</summary>
    public double SmallestDifference => 1.96 * Math.Sqrt(2) * Deviation;

    /// <summary>From repeated measurements.</summary>
    /// <param name="measurements">
    /// For every candidate its scores: the same evaluation repeated, or that of the last checkpoints of a run. A NaN is
    /// left out. The noise is pooled: the root of the candidates' variances (n − 1), weighted by their degrees of freedom.
    /// </param>
    public static SignalNoise Of(IReadOnlyList<IReadOnlyList<double>> measurements)
    {
        double[][] known = [.. measurements.Select(m => m.Where(double.IsFinite).ToArray()).Where(m => m.Length > 0)];
        if (known.Length == 0)
            return new(0, double.NaN, double.NaN, double.NaN);
        // From the first on: equal measurements have exactly their own mean, and no deviation.
        double[] means = [.. known.Select(m => m[0] + m.Average(v => v - m[0]))];
        var squares = known.Zip(means, (m, mean) => m.Sum(v => (v - mean) * (v - mean))).Sum();
        var freedom = known.Sum(m => m.Length - 1);
        return new(
            known.Length,
            means.Average(),
            means.Max() - means.Min(),
            freedom == 0 ? double.NaN : Math.Sqrt(squares / freedom));
    }

    /// <summary>Mean of the last <paramref name="count"/> scores, or of all where there are fewer; NaN of none.</summary>
    /// <param name="scores">Of a run's checkpoints, in order.</param>
    /// <param name="count">At least 1.</param>
    public static double AverageOfLast(IReadOnlyList<double> scores, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return scores.TakeLast(count).DefaultIfEmpty(double.NaN).Average();
    }

    /// <summary>
    /// Decision accuracy: the share of pairs of candidates that two splits order alike; a tie on both is alike, a tie on
    /// one is not. NaN for fewer than two candidates that both scored.
    /// </summary>
    public static double DecisionAccuracy(IReadOnlyList<double> selection, IReadOnlyList<double> report)
    {
        var pairs = PairCounts.Of(selection, report);
        return (double)(pairs.Alike + pairs.TiedInBoth) / pairs.All;
    }
}

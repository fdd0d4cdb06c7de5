using Merge.Sdk;

namespace Merge.Trust;

/// <summary>How much better one model does than another on the same examples, and how sure that is.</summary>
/// <param name="Examples">How many examples both were scored on.</param>
/// <param name="Mean">Mean of (candidate − incumbent), in the metric's unit.</param>
/// <param name="Low">Lower end of the interval.</param>
/// <param name="High">Upper end of the interval.</param>
/// <param name="GainProbability">Share of the resamples whose mean is above zero, those at zero counted half.</param>
/// <param name="Confidence">Of the interval, for example 0.95.</param>
internal sealed record PairedDifference(
    int Examples, double Mean, double Low, double High, double GainProbability, double Confidence)
{
    /// <summary>Whether the interval lies above zero.</summary>
    public bool IsGain => Low > 0;

    /// <summary>Whether the interval lies below zero.</summary>
    public bool IsLoss => High < 0;
}

/// <summary>
/// The paired bootstrap (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13: percentile interval):
/// examples are drawn with replacement, and both models are compared on the same draw.
/// </summary>
internal static class PairedBootstrap
{
    public const int DefaultResamples = 10_000;
    public const double DefaultConfidence = 0.95;

    // A resample of few examples is too little work for a task of its own.
    private const int DrawsOfATask = 1 << 18;

    /// <summary>Compares a candidate with the incumbent.</summary>
    /// <param name="candidate">Its score on every example; higher is better.</param>
    /// <param name="incumbent">The other's, on the same examples in the same order.</param>
    /// <param name="seed">Resample r draws with the seed ⊕ r·2³²: the same bits on any number of threads.</param>
    /// <param name="resamples">At least 1.</param>
    /// <param name="confidence">In (0, 1).</param>
    /// <exception cref="MergeException">They were not scored on the same examples, or a score is no number.</exception>
    public static PairedDifference Compare(
        IReadOnlyList<double> candidate,
        IReadOnlyList<double> incumbent,
        ulong seed = 0,
        int resamples = DefaultResamples,
        double confidence = DefaultConfidence)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);
        Check(candidate, incumbent);
        double[] differences = [.. candidate.Zip(incumbent, (c, i) => c - i)];
        var means = Resample(differences, seed, resamples);
        Array.Sort(means);
        var above = means.Count(m => m > 0) + (means.Count(m => m == 0) / 2.0);
        return new(
            differences.Length,
            differences.Average(),
            Quantile(means, (1 - confidence) / 2),
            Quantile(means, (1 + confidence) / 2),
            above / resamples,
            confidence);
    }

    private static void Check(IReadOnlyList<double> candidate, IReadOnlyList<double> incumbent)
    {
        if (candidate.Count != incumbent.Count || candidate.Count == 0)
        {
            throw new MergeException(new Diagnostic(
                $"two models are compared by {candidate.Count} and {incumbent.Count} scores of examples")
            {
                Expected = "as many for both, at least one",
                Fix = "Let the evaluator give a score for every example of the split, in the same order for every candidate.",
            });
        }
        for (var i = 0; i < candidate.Count; i++)
        {
            if (double.IsFinite(candidate[i]) && double.IsFinite(incumbent[i]))
                continue;
            throw new MergeException(new Diagnostic(
                $"example {i} has the scores {candidate[i]} and {incumbent[i]}")
            {
                Expected = "numbers",
                Fix = "Let the evaluator score such an example as wrong.",
            });
        }
    }

    private static double[] Resample(double[] differences, ulong seed, int resamples)
    {
        var means = new double[resamples];
        var each = Math.Max(DrawsOfATask / differences.Length, 1);
        Parallel.For(0, (resamples + each - 1) / each, task =>
        {
            for (var r = task * each; r < Math.Min((task + 1) * each, resamples); r++)
            {
                var random = new SearchRandom(seed ^ ((ulong)r << 32));
                var sum = 0.0;
                for (var i = 0; i < differences.Length; i++)
                    sum += differences[random.Below(differences.Length)];
                means[r] = sum / differences.Length;
            }
        });
        return means;
    }

    // Linear between order statistics (Hyndman and Fan, 1996, type 7).
    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}

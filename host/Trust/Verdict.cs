namespace Merge.Trust;

/// <summary>What the statistics say, in plain sentences.</summary>
internal static class Verdict
{
    // With fewer examples the resamples are too alike for their spread to mean much.
    private const int FewExamples = 30;

    /// <summary>Whether a candidate is better than the incumbent.</summary>
    /// <param name="difference">Candidate − incumbent.</param>
    /// <param name="candidate">What to call it, for example <c>the soup</c>.</param>
    /// <param name="incumbent">What to call the other.</param>
    /// <param name="metric">A metric of which nobody said whether more is better; null: more is better.</param>
    public static string Of(PairedDifference difference, string candidate, string incumbent, string? metric = null)
    {
        var (by, better, worse) = metric is null ? ("", "is better than", "is worse than")
            : ($" by '{metric}'", $"has a higher '{metric}' than", $"has a lower '{metric}' than");
        var interval = $"{Signed(difference.Mean)} ({difference.Confidence:0.##%} interval "
            + $"{Signed(difference.Low)} to {Signed(difference.High)}, {difference.Examples} examples)";
        var said = difference switch
        {
            { Mean: 0, Low: 0, High: 0 } => $"{Capital(candidate)} and {incumbent} score the same on every example{by}.",
            { IsGain: true } => $"{Capital(candidate)} {better} {incumbent}: {interval}.",
            { IsLoss: true } => $"{Capital(candidate)} {worse} {incumbent}: {interval}.",
            _ => $"The examples do not tell {candidate} and {incumbent} apart{by}: {interval}; "
                + $"{difference.GainProbability:0.#%} of the resamples {(metric is null ? "see a gain" : "are higher")}.",
        };
        return difference.Examples < FewExamples
            ? $"{said} With so few examples this is a hint at best."
            : said;
    }

    /// <summary>Whether the evaluator can tell the candidates apart.</summary>
    public static string Of(SignalNoise measured) => measured switch
    {
        { Candidates: < 2 } => "Fewer than two candidates were scored: there is nothing to tell apart.",
        { Deviation: double.NaN } =>
            "No candidate was scored twice: how much the evaluator's own noise is, is not known.",
        { Spread: 0 } => "All candidates score the same: the evaluator does not tell them apart.",
        { Deviation: 0 } => "The evaluator repeats itself exactly: every difference it shows is one between the candidates "
            + "(on these examples; the paired bootstrap says whether others would agree).",
        _ when measured.Spread < measured.SmallestDifference =>
            $"The evaluator cannot tell these candidates apart: the best and the worst differ by {measured.Spread:g3}, and "
            + $"two measurements of one and the same candidate by up to {measured.SmallestDifference:g3} "
            + $"(signal to noise {measured.Ratio:g3}).",
        _ => $"The evaluator can tell the best of these candidates from the worst (they differ by {measured.Spread:g3}, "
            + $"signal to noise {measured.Ratio:g3}), but not two that differ by less than {measured.SmallestDifference:g3}.",
    };

    /// <summary>What is left of the winner's lead where it was not chosen on.</summary>
    /// <param name="selection">The candidates' scores on the split they were chosen on.</param>
    /// <param name="report">Their scores on the other, in the same order.</param>
    public static string OfWinner(IReadOnlyList<double> selection, IReadOnlyList<double> report)
    {
        int[] known = [.. Enumerable.Range(0, selection.Count)
            .Where(i => double.IsFinite(selection[i]) && double.IsFinite(report[i]))];
        if (known.Length < 2)
            return "Fewer than two candidates were scored on both splits: luck in the choice cannot be told.";
        var winner = known.MaxBy(i => selection[i]);
        var better = known.Count(i => report[i] > report[winner]);
        var tau = KendallTau.Of([.. known.Select(i => selection[i])], [.. known.Select(i => report[i])]);
        var agree = SignalNoise.DecisionAccuracy(selection, report);
        var place = better switch
        {
            0 => "is still first",
            1 => "is beaten by one other",
            _ => $"is beaten by {better} others",
        };
        var alike = double.IsNaN(tau) ? "" : $", Kendall's τ {tau:0.00;−0.00}";
        return $"Of {known.Length} candidates the best on the selection split {place} on the report split; "
            + $"the two splits order {agree:0%} of the pairs alike{alike}.";
    }

    private static string Signed(double value) =>
        value == 0 ? "0" : $"{(value < 0 ? '−' : '+')}{Math.Abs(value):G3}";

    private static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}

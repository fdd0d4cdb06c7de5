using Merge.Scoring;

namespace Merge.Search;

/// <summary>One point that was evaluated.</summary>
/// <param name="Index">From 0, in the order they were asked for.</param>
/// <param name="Generation">From 0.</param>
/// <param name="Point">A value for every dimension.</param>
/// <param name="Score">What the evaluation said.</param>
internal sealed record Trial(int Index, int Generation, IReadOnlyList<double> Point, TrialScore Score)
{
    /// <summary>Random numbers the search had drawn when it asked.</summary>
    public long Draws { get; init; }

    /// <summary>Seconds its merge took: its share of the pass it was part of.</summary>
    public double MergeSeconds { get; init; }

    /// <summary>Higher is better; null where the trial failed.</summary>
    public double? Objective => Score.Objective;

    /// <inheritdoc cref="TrialScore.IsBroken"/>
    public bool IsBroken => Score.IsBroken;

    /// <summary>The best of some: the first of those with the highest objective; null where all failed.</summary>
    public static Trial? Best(IEnumerable<Trial> trials) =>
        trials.Where(t => t.Objective is not null).OrderByDescending(t => t.Objective).ThenBy(t => t.Index).FirstOrDefault();
}

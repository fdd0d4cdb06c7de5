using Merge.Scoring;

namespace Merge.Search;

/// <summary>A point to evaluate.</summary>
/// <param name="Trial">Its number, for names of files; null where it is no trial of a search.</param>
/// <param name="Point">A value for every dimension.</param>
/// <param name="Repeat">Not 0: the same point is measured once more, whatever is known of it.</param>
internal sealed record PointToScore(int? Trial, IReadOnlyList<double> Point, int Repeat = 0)
{
    /// <summary>No point of the space, but the recipe with its own values.</summary>
    public static PointToScore AsWritten { get; } = new(null, []);
}

/// <summary>A point's score.</summary>
/// <param name="MergeSeconds">Its share of the pass that merged it.</param>
internal readonly record struct PointScore(TrialScore Score, double MergeSeconds);

/// <summary>Merges points and has them scored.</summary>
internal interface IPointScorer
{
    /// <summary>Scores points, several at once; gives the scores in the order of the points.</summary>
    IAsyncEnumerable<PointScore> Score(IReadOnlyList<PointToScore> points, string split, CancellationToken cancellation);
}

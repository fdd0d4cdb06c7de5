namespace Merge.Sdk;

/// <summary>A point that was tried.</summary>
/// <param name="Point">As it was asked for.</param>
/// <param name="Score">Higher is better, whatever the objective; null where the evaluation failed.</param>
public sealed record ScoredPoint(IReadOnlyList<double> Point, double? Score);

/// <summary>
/// Looks for the point of the highest score, generation by generation: <see cref="Ask"/>, <see cref="Tell"/>,
/// <see cref="Ask"/> … What it asks follows from the space, the options, the <see cref="SearchRandom"/> it was started
/// with, and what it was told, and from nothing else: an interrupted search is continued by telling a new searcher the
/// scores that are known.
/// </summary>
public interface ISearcher
{
    /// <summary>The points to try next, at least one; each with a value for every dimension. The host moves them to the
    /// nearest the strategy takes, and does not evaluate a point twice.</summary>
    IReadOnlyList<double[]> Ask();

    /// <summary>The scores of all points of the last <see cref="Ask"/>, in its order.</summary>
    void Tell(IReadOnlyList<ScoredPoint> generation);
}

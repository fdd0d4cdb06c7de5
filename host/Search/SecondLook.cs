using Merge.Scoring;
using Merge.Trust;

namespace Merge.Search;

/// <summary>A trial's score on another split.</summary>
internal sealed record RescoredPoint(Trial Trial, TrialScore Other);

/// <summary>A single model's scores; on the report split that of the best one only.</summary>
internal sealed record IngredientScore(int Model, string Name, TrialScore Selection, TrialScore? Report);

/// <summary>What is looked at once more when a search is over: none of it chooses, but for <c>final: rescored</c>.</summary>
internal sealed class SecondLook(SearchSession session)
{
    private const int NoiseCandidates = 5;

    /// <summary>The best trials, best first.</summary>
    public static IReadOnlyList<Trial> Top(IEnumerable<Trial> trials, int count) =>
    [
        .. trials.Where(t => t.Objective is not null).OrderByDescending(t => t.Objective).ThenBy(t => t.Index).Take(count),
    ];

    /// <summary>Scores trials on another split.</summary>
    public async Task<IReadOnlyList<RescoredPoint>> Rescore(IReadOnlyList<Trial> trials, string split, CancellationToken cancellation)
    {
        var scores = await session.Points.Score([.. trials.Select(t => new PointToScore(t.Index, t.Point))], split, cancellation)
            .ToListAsync(cancellation);
        return [.. trials.Zip(scores, (t, s) => new RescoredPoint(t, s.Score))];
    }

    /// <summary>Scores the single models on the selection split, and the best of them on the report split.</summary>
    public async Task<IReadOnlyList<IngredientScore>> Ingredients(string selection, string? report, CancellationToken cancellation)
    {
        var names = session.Planned.ModelNames;
        var scores = await Task.WhenAll(names.Select((_, i) => session.ScoreIngredient(i, selection, cancellation)));
        var best = Enumerable.Range(0, scores.Length).Where(i => scores[i].Objective is not null)
            .OrderByDescending(i => scores[i].Objective).Cast<int?>().FirstOrDefault();
        var reported = best is { } model && report is not null ? await session.ScoreIngredient(model, report, cancellation) : null;
        return [.. scores.Select((s, i) => new IngredientScore(i, names[i], s, i == best ? reported : null))];
    }

    /// <summary>Measures some of the best trials again and again on the split they were chosen on.</summary>
    public async Task<SignalNoise> Noise(IReadOnlyList<Trial> trials, int measurements, string split, CancellationToken cancellation)
    {
        var top = Top(trials, NoiseCandidates);
        // Anew, all of them: the score they were chosen by is the luckiest of many.
        var each = measurements + 1;
        PointToScore[] points =
            [.. top.SelectMany(t => Enumerable.Range(1, each).Select(r => new PointToScore(t.Index, t.Point, r)))];
        var scores = await session.Points.Score(points, split, cancellation).ToListAsync(cancellation);
        return SignalNoise.Of(
        [
            .. scores.Chunk(each).Select(again => (IReadOnlyList<double>)[.. again.Select(s => s.Score.Objective ?? double.NaN)]),
        ]);
    }

    /// <summary>A candidate against an incumbent by the objective of every example; null where there are none.</summary>
    public PairedDifference? Compare(TrialScore? candidate, TrialScore? incumbent)
    {
        if (candidate is null || incumbent is null || session.Objective.Examples(candidate.Examples) is not { Count: > 0 } a
            || session.Objective.Examples(incumbent.Examples) is not { } b || a.Count != b.Count || !a.All(double.IsFinite) || !b.All(double.IsFinite))
        {
            return null;
        }
        return PairedBootstrap.Compare(a, b, session.Recipe.Search?.Seed ?? 0);
    }
}

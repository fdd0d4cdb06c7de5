using Merge.Recipes;
using Merge.Scoring;
using Merge.Trust;

namespace Merge.Search;

/// <summary>A trial's score on another split.</summary>
internal sealed record RescoredPoint(Trial Trial, TrialScore Other);

/// <summary>A single model's scores; on the report split that of the best one only. Also those of a baseline, which is no model.</summary>
internal sealed record IngredientScore(int Model, string Name, TrialScore Selection, TrialScore? Report)
{
    /// <summary>The best on the selection split; null where none has a score.</summary>
    public static IngredientScore? Best(IEnumerable<IngredientScore> models) =>
        models.Where(i => i.Selection.Objective is not null).MaxBy(i => i.Selection.Objective);
}

/// <summary>The result against something else, example by example.</summary>
/// <param name="Against">What, as it stands in a sentence.</param>
internal sealed record Comparison(string Against, PairedDifference Difference);

/// <summary>What is looked at once more when a search is over: none of it chooses, but for <c>final: rescored</c>.</summary>
internal sealed class SecondLook(SearchSession session)
{
    private const int NoiseCandidates = 5;

    private readonly List<string> _remarks = [];
    private bool _hasGivenUp;

    /// <summary>What could not be looked at, or need not be, and why: sentences. The result stands without it, so nothing stops for it.</summary>
    public IReadOnlyList<string> Remarks => _remarks;

    /// <summary>The best trials, best first.</summary>
    public static IReadOnlyList<Trial> Top(IEnumerable<Trial> trials, int count) =>
    [
        .. trials.Where(t => t.Objective is not null).OrderByDescending(t => t.Objective).ThenBy(t => t.Index).Take(count),
    ];

    /// <summary>Scores trials on another split; gives up, as the search does, after too many failures in a row.</summary>
    public async Task<IReadOnlyList<RescoredPoint>> Rescore(IReadOnlyList<Trial> trials, string split, CancellationToken cancellation)
    {
        var scores = await Scores([.. trials.Select(t => new PointToScore(t.Index, t.Point))], split, cancellation);
        Note($"of the {trials.Count} best trials have no score on '{split}'", scores);
        return [.. trials.Zip(scores, (t, s) => new RescoredPoint(t, s))];
    }

    /// <summary>Scores the single models on the selection split, and the best of them on the report split.</summary>
    public async Task<IReadOnlyList<IngredientScore>> Ingredients(string selection, string? report, CancellationToken cancellation)
    {
        var names = session.Planned.ModelNames;
        var scores = await Models(names.Count, selection, cancellation);
        Note($"of {names.Count} single models have no score on '{selection}'", scores);
        var best = Enumerable.Range(0, scores.Length).Where(i => scores[i].Objective is not null)
            .OrderByDescending(i => scores[i].Objective).Cast<int?>().FirstOrDefault();
        var reported = best is { } model && report is not null ? await session.ScoreIngredient(model, report, cancellation) : null;
        if (reported is { Objective: null })
            Note($"single model, the best one, has no score on '{report}'", [reported]);
        return [.. scores.Select((s, i) => new IngredientScore(i, names[i], s, i == best ? reported : null))];
    }

    /// <summary>
    /// Scores what else the result is measured against, on both splits: the base model, where the recipe names one, and the
    /// recipe as it is written; where that cannot be merged, the uniform average, if the search begins there.
    /// </summary>
    /// <param name="best">The result: where it is the recipe as written, that is known already.</param>
    /// <param name="onReport">The result on the report split.</param>
    public async Task<IReadOnlyList<IngredientScore>> Baselines(
        Trial best, TrialScore? onReport, string selection, string? report, CancellationToken cancellation)
    {
        var baselines = new List<IngredientScore>();
        if (session.Base is not null)
        {
            var name = $"the base model ({session.BaseName})";
            var score = await Baseline(name, s => session.ScoreBase(s, cancellation), selection, report);
            if (score.Selection.Objective is null)
                _remarks.Add($"The base model ({session.BaseName}) has no score on '{selection}': {Why(score.Selection)}");
            baselines.Add(score);
        }
        var written = new AsWritten(session.Planned);
        if (written.Only is { } model)
        {
            var names = session.Planned.ModelNames;
            _remarks.Add($"The recipe as written is {(model < names.Count ? $"the single model {names[model]}" : "the base model")}, unchanged.");
            return baselines;
        }
        if (written.Lacks is null && written.IsAt(best.Point))
        {
            _remarks.Add($"The result is {written.Name}: no trial scored better.");
            return [.. baselines, new(0, written.Name, best.Score, onReport)];
        }
        var own = written.Lacks is null ? await Baseline(written.Name, s => Point(written.ToScore, s, cancellation), selection, report) : null;
        if (own?.Selection.Objective is not null)
            return [.. baselines, own];
        _remarks.Add("The recipe as written is no baseline: "
            + (own is null ? $"it gives no '{written.Lacks}', and the method has no default for it" : Why(own.Selection)));
        if (written.BeginsUniform)
        {
            PointToScore uniform = new(null, session.Planned.Space.Start());
            baselines.Add(await Baseline("the uniform average", s => Point(uniform, s, cancellation), selection, report));
        }
        return baselines;
    }

    /// <summary>Measures some of the best trials again and again on the split they were chosen on.</summary>
    public async Task<SignalNoise> Noise(IReadOnlyList<Trial> trials, int measurements, string split, CancellationToken cancellation)
    {
        var top = Top(trials, NoiseCandidates);
        // Anew, all of them: the score they were chosen by is the luckiest of many.
        var each = measurements + 1;
        PointToScore[] points =
            [.. top.SelectMany(t => Enumerable.Range(1, each).Select(r => new PointToScore(t.Index, t.Point, r)))];
        var scores = await Scores(points, split, cancellation);
        Note($"of {points.Length} measurements of the evaluator's noise have no score", scores);
        return SignalNoise.Of(
        [
            .. scores.Chunk(each).Select(again => (IReadOnlyList<double>)[.. again.Select(s => s.Objective ?? double.NaN)]),
        ]);
    }

    /// <summary>The result against the best single model and all baselines; on the report split where there is one.</summary>
    public IReadOnlyList<Comparison> Comparisons(
        TrialScore best, TrialScore? onReport, IReadOnlyList<IngredientScore> ingredients, IReadOnlyList<IngredientScore> baselines)
    {
        var single = IngredientScore.Best(ingredients);
        return
        [
            .. baselines.Prepend(single is null ? null : single with { Name = $"the best single model ({single.Name})" })
                .OfType<IngredientScore>()
                .Select(i => (i.Name, Difference: session.Recipe.Splits.Report is null ? Compare(best, i.Selection) : Compare(onReport, i.Report)))
                .Where(c => c.Difference is not null).Select(c => new Comparison(c.Name, c.Difference!)),
        ];
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

    // What has no score on the first split needs none on the other.
    private async Task<IngredientScore> Baseline(string name, Func<string, Task<TrialScore>> score, string selection, string? report)
    {
        var chosen = _hasGivenUp ? GivenUp : await score(selection);
        var reported = report is null || chosen.Objective is null ? null : await score(report);
        if (reported is { Objective: null })
            _remarks.Add($"{char.ToUpperInvariant(name[0])}{name[1..]} has no score on '{report}': {Why(reported)}");
        return new(0, name, chosen, reported);
    }

    private async Task<TrialScore> Point(PointToScore point, string split, CancellationToken cancellation) =>
        (await Scores([point], split, cancellation))[0];

    private int MostFailures => session.Recipe.Search?.Patience ?? SearchRecipe.DefaultPatience;

    private async Task<TrialScore[]> Scores(PointToScore[] points, string split, CancellationToken cancellation)
    {
        var (patience, scores) = (new Patience(MostFailures), new List<TrialScore>());
        await foreach (var point in session.Points.Score(points, split, cancellation))
        {
            scores.Add(point.Score);
            patience.Count(point.Score);
            if (patience.IsAtItsEnd)
                break;
        }
        _hasGivenUp |= patience.IsAtItsEnd;
        return [.. scores, .. Enumerable.Repeat(GivenUp, points.Length - scores.Count)];
    }

    private async Task<TrialScore[]> Models(int count, string split, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var (patience, scores) = (new Patience(MostFailures), new TrialScore[count]);
        Task<TrialScore>[] running = [.. Enumerable.Range(0, count).Select(i => session.ScoreIngredient(i, split, stop.Token))];
        try
        {
            foreach (var (model, scoring) in running.Index())
            {
                if (patience.IsAtItsEnd)
                    await stop.CancelAsync();
                try
                {
                    scores[model] = await scoring;
                    patience.Count(scores[model]);
                }
                catch (OperationCanceledException) when (patience.IsAtItsEnd && !cancellation.IsCancellationRequested)
                {
                    scores[model] = GivenUp;
                }
            }
            _hasGivenUp |= patience.IsAtItsEnd;
            return scores;
        }
        finally
        {
            // The checkpoints are closed soon: nobody may be reading them any more.
            await stop.CancelAsync();
            await Task.WhenAll(running).ContinueWith(static _ => { }, TaskScheduler.Default);
        }
    }

    private static TrialScore GivenUp => TrialScore.Without(
        ScoreStatus.Failed, "not tried: too many evaluations before it failed one after the other", 0) with
    { Attempts = 0 };

    private void Note(string what, IReadOnlyList<TrialScore> scores)
    {
        if (scores.FirstOrDefault(s => s.Objective is null) is not { } first)
            return;
        _remarks.Add($"{scores.Count(s => s.Objective is null)} {what}; the first: {Why(first)}");
    }

    private static string Why(TrialScore score) =>
        (score.Error ?? "no reason given") + (score.Log is { } log ? $" ({log})" : "");
}

using Merge.Scoring;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>
/// Every trial of a search, in the order they were asked for. A point is evaluated once; what the journal knows is taken
/// from there, as if it had just been evaluated: so a search that is begun anew goes where it went.
/// </summary>
/// <param name="journal">Where trials are kept, those of earlier runs included.</param>
/// <param name="scorer">Evaluates what is new.</param>
/// <param name="split">On which split.</param>
/// <param name="patience">Evaluations that may fail one after the other.</param>
/// <param name="progress">Is told of every trial.</param>
internal sealed class TrialBook(TrialJournal journal, IPointScorer scorer, string split, int patience, SearchProgress progress)
{
    private readonly Dictionary<IReadOnlyList<double>, Trial> _known = new(Points.ByValue);
    private readonly List<Trial> _trials = [];
    private readonly Patience _patience = new(patience);

    public IReadOnlyList<Trial> Trials => _trials;

    /// <summary>The trial of a point; null where it was not tried.</summary>
    public Trial? Find(IReadOnlyList<double> point) => _known.GetValueOrDefault(point);

    /// <summary>Tries points, none of which was tried before.</summary>
    /// <param name="points">All different.</param>
    /// <param name="generation">From 0.</param>
    /// <param name="draws">Random numbers drawn when they were asked for.</param>
    /// <param name="cancellation">Stops it; what is evaluated by then, in order, is in the journal.</param>
    /// <exception cref="MergeException">The journal has other points, or evaluation after evaluation fails.</exception>
    public async Task Try(IReadOnlyList<IReadOnlyList<double>> points, int generation, long draws, CancellationToken cancellation)
    {
        var first = _trials.Count;
        var replayed = Math.Min(points.Count, Math.Max(0, journal.Trials.Count - first));
        for (var i = 0; i < replayed; i++)
            Take(Replayed(journal.Trials[first + i], points[i], generation));
        PointToScore[] left = [.. points.Skip(replayed).Select((p, i) => new PointToScore(first + replayed + i, p))];
        if (left.Length == 0)
            return;
        var index = first + replayed;
        await foreach (var (score, mergeSeconds) in scorer.Score(left, split, cancellation))
        {
            var trial = new Trial(index, generation, points[index - first], score) { Draws = draws, MergeSeconds = mergeSeconds };
            journal.Add([trial]);
            Take(trial);
            index++;
            _patience.Count(score);
            if (_patience.IsAtItsEnd)
                throw _patience.Stop(score);
        }
        // Another generation would get the same answers.
        if (_trials.All(t => t.Score.LacksMetric))
            throw WrongMetric(_trials[^1].Score);
    }

    private MergeException WrongMetric(TrialScore score) => new(new Diagnostic(
        $"no answer to the first {_trials.Count} candidates has what the objective names: {score.Error}")
    {
        Where = score.Log,
        Fix = "Repair the evaluation, then go on with --resume: those evaluations are tried again. For another metric in the recipe's "
            + "'objective' delete the folder.",
    });

    private void Take(Trial trial)
    {
        _known.Add(trial.Point, trial);
        _trials.Add(trial);
        progress.Add(trial, isResumed: trial.Index < journal.Trials.Count);
    }

    private Trial Replayed(Trial known, IReadOnlyList<double> point, int generation)
    {
        if (known.Generation == generation && Points.ByValue.Equals(known.Point, point))
            return known;
        progress.CanGoOn = false;
        throw new MergeException(new Diagnostic(
            $"trial {known.Index} of the journal is not the point that the search asks for now")
        {
            Expected = $"[{string.Join(", ", point.Select(NumberText.Of))}]; the journal has "
                + $"[{string.Join(", ", known.Point.Select(NumberText.Of))}]",
            Fix = "The journal or the searcher was changed, or the searcher's choices do not follow from its seed alone. Search in another folder.",
        });
    }
}

using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>
/// A journal's scores against its metrics: what the objective makes of the metrics a line holds is what the line must say.
/// One that was edited, or carried over from another objective, would make the search believe it.
/// </summary>
internal static class JournalScores
{
    /// <summary>Refuses trials whose score is not that of their metrics.</summary>
    /// <param name="trials">All of them, from the first: the journal's first line is before it.</param>
    /// <param name="objective">The search's.</param>
    /// <param name="path">The journal.</param>
    /// <exception cref="MergeException">Every such trial, with its line.</exception>
    public static void Check(IReadOnlyList<Trial> trials, Objective objective, string path)
    {
        Diagnostic[] wrong = [.. trials.Select(t => Wrong(t, objective, path)).OfType<Diagnostic>()];
        if (wrong.Length > 0)
            throw new MergeException(wrong);
    }

    /// <summary>The objective that a journal says its search has.</summary>
    public static Objective ObjectiveOf(JournalContent content, string path)
    {
        var text = content.Identity.FirstOrDefault(i => i.Item == "objective").Value;
        try
        {
            return new(RecipeParser.Parse(path, $"merge_method: x\nmodels: [x]\nobjective: {text}\n").Objective
                ?? throw JournalText.Damaged(path, 1, "it names no objective"));
        }
        catch (MergeException unread) when (unread.WrongUsage)
        {
            throw JournalText.Damaged(path, 1, $"its objective is {text ?? "not there"}");
        }
    }

    private static Diagnostic? Wrong(Trial trial, Objective objective, string path)
    {
        var (score, line) = (trial.Score, trial.Index + 2);
        var hasMetrics = score.Metrics.Count > 0 || score.Examples.Count > 0;
        // An evaluation that failed, or never ended, has nothing to compare.
        if (!hasMetrics && trial.IsBroken && score.Objective is null)
            return null;
        var own = objective.Of(new(score.Metrics) { Examples = score.Examples }, score.Seconds);
        if (own.Status == score.Status && own.Objective.Equals(score.Objective))
            return null;
        return new($"the score of trial {trial.Index} is not that of its metrics: it says {Text(score)}")
        {
            Where = $"{path}, line {line}",
            Expected = Text(own),
            Fix = "Restore the journal from a copy, or cut it off before that line: the trials after it are then evaluated again.",
        };
    }

    private static string Text(TrialScore score) => score.Objective is { } objective
        ? NumberText.Of(objective) : score.Error ?? $"{score.Status}";
}

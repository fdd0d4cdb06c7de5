using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>Makes metrics one number, or says why they have none.</summary>
internal sealed class Objective(ObjectiveRecipe recipe)
{
    private const int MostNamed = 20;

    private double Sign => recipe.Maximize ? 1 : -1;

    /// <summary>
    /// ± Σ weight · metric, higher is better. A metric given by examples only is their mean. NaN and infinity fail the
    /// trial; so does a metric that is not there; a broken constraint makes it infeasible.
    /// </summary>
    public TrialScore Of(Evaluation evaluation, double seconds)
    {
        var metrics = WithMeans(evaluation);
        var score = new TrialScore(ScoreStatus.Ok, metrics, evaluation.Examples, null, seconds);
        var used = recipe.Terms.Select(t => t.Metric).Concat(recipe.Constraints.Select(c => c.Metric)).Distinct();
        foreach (var metric in used)
        {
            if (!metrics.TryGetValue(metric, out var value))
                return score with { Status = ScoreStatus.Failed, Error = Unknown(metric, metrics.Keys) };
            if (!double.IsFinite(value))
                return score with { Status = ScoreStatus.NotANumber, Error = $"'{metric}' is {value}" };
        }
        var broken = recipe.Constraints.Where(c => !c.Holds(metrics[c.Metric])).ToArray();
        if (broken.Length > 0)
        {
            return score with
            {
                Status = ScoreStatus.Infeasible,
                Error = string.Join("; ", broken.Select(c => $"'{c.Metric}' is {metrics[c.Metric]:R}, which is not {c.Relation} {c.Bound:R}")),
            };
        }
        var sum = Sign * recipe.Terms.Sum(t => t.Weight * metrics[t.Metric]);
        return double.IsFinite(sum)
            ? score with { Objective = sum }
            : score with { Status = ScoreStatus.NotANumber, Error = $"the weighted sum is {sum}" };
    }

    /// <summary>
    /// The objective of every single example, higher is better: what a paired bootstrap resamples. Null where a metric
    /// of the objective has no examples, or they are not equally many, or one is no finite number.
    /// </summary>
    public IReadOnlyList<double>? Examples(IReadOnlyDictionary<string, IReadOnlyList<double>> examples)
    {
        var terms = recipe.Terms.Select(t => (t.Weight, Values: examples.GetValueOrDefault(t.Metric))).ToArray();
        if (terms.Any(t => t.Values is null || t.Values.Count != terms[0].Values!.Count))
            return null;
        double[] each = [.. Enumerable.Range(0, terms[0].Values!.Count).Select(i => Sign * terms.Sum(t => t.Weight * t.Values![i]))];
        return each.All(double.IsFinite) ? each : null;
    }

    private static Dictionary<string, double> WithMeans(Evaluation evaluation)
    {
        var metrics = new Dictionary<string, double>(evaluation.Metrics);
        foreach (var (metric, values) in evaluation.Examples)
            metrics.TryAdd(metric, values.Count == 0 ? double.NaN : values.Average());
        return metrics;
    }

    private static string Unknown(string metric, Dictionary<string, double>.KeyCollection found)
    {
        var names = found.Order(StringComparer.Ordinal).Take(MostNamed).ToList();
        if (found.Count > MostNamed)
            names.Add($"{found.Count - MostNamed} more");
        var question = NearestMatch.Question(metric, found);
        return $"the evaluator gave no metric '{metric}'; it gave "
            + (found.Count == 0 ? "none" : string.Join(", ", names)) + (question is null ? "" : $". {question}");
    }
}

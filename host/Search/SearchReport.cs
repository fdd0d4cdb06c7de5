using System.Globalization;
using Merge.Checkpoints;
using Merge.Compute;
using Merge.Merging;
using Merge.Recipes;
using Merge.Reports;
using Merge.Scoring;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>What a search or a soup tells its report.</summary>
internal static class SearchReport
{
    // Distances between many large models read all of them once more, and a page with hundreds of them tells nothing.
    private const int MostDistances = 100;

    /// <summary>Writes the page.</summary>
    /// <exception cref="MergeException">The disk is full or fails.</exception>
    public static void Write(SearchSession session, SearchOutcome outcome, string procedure, CancellationToken cancellation)
    {
        var (data, path) = (Of(session, outcome, procedure, cancellation), session.Request.Folder.Report);
        try
        {
            HtmlReport.Write(data, new ManagedLinearAlgebra(), path);
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.Writing(path, 0, fault, ScoringPlace.FullDisk);
        }
    }

    private static ReportData Of(SearchSession session, SearchOutcome outcome, string procedure, CancellationToken cancellation)
    {
        var recipe = session.Recipe;
        var objective = recipe.Objective!;
        var whole = session.Planned.Options.Whole.Values;
        return new()
        {
            Title = Path.GetFileName(recipe.Path),
            Recipe = recipe.Text,
            Searcher = procedure,
            Seed = recipe.Search?.Seed,
            Objective = objective.ToString(),
            ScoreName = (objective.Maximize ? "" : "−") + string.Join(" + ", objective.Terms.Select(t =>
                t.Weight == 1 ? t.Metric : string.Create(CultureInfo.InvariantCulture, $"{t.Weight:R} · {t.Metric}"))),
            SelectionSplit = recipe.Splits.Selection,
            ReportSplit = recipe.Splits.Report,
            Facts = Facts(session),
            Models = session.Planned.ModelNames,
            Dimensions = session.IsSearch ? [.. whole.Select(v => Dimension(v, session.Planned.Space.Dimensions))] : [],
            Trials = [.. outcome.Trials.Select(t => Trial(t, session.IsSearch ? [.. whole.Select(v => v.Of(t.Point))] : t.Point))],
            Best = outcome.Best?.Index,
            Ingredients = [.. outcome.Ingredients.Select(i => new ModelScore(i.Name, i.Selection.Objective, i.Report?.Objective))],
            Baselines = [.. outcome.Baselines.Select(b => new ModelScore(b.Name, b.Selection.Objective, b.Report?.Objective))],
            Result = outcome.Best is { } best ? new("the result", best.Objective, outcome.Report?.Objective) : null,
            Rescored = [.. outcome.Rescored.Select(r => new RescoredTrial(r.Trial.Index, r.Trial.Objective!.Value, r.Other.Objective))],
            Comparisons =
            [
                .. outcome.Comparisons.Select(c => new ReportComparison(
                    "the result", c.Against, "the objective", recipe.Splits.Report ?? recipe.Splits.Selection, c.Difference)),
            ],
            Noise = outcome.Noise,
            Gram = Gram(session, cancellation),
            RebuildCommand = outcome.Best is null ? null : $"merge run {Path.GetFileName(session.Request.Folder.BestRecipe)} merged",
            Warnings = outcome.Remarks,
        };
    }

    private static (string, string)[] Facts(SearchSession session)
    {
        var plan = session.Planned.Plan;
        return
        [
            ("method", $"{plan.Strategy.Info.Name} ({plan.Strategy.Info.Id}), plugin {plan.Plugin.Name} {plan.Plugin.Version}"),
            ("merge", ToolVersion.Text),
        ];
    }

    // What follows has no range it was searched in.
    private static SearchDimension Dimension(WholeValue value, IReadOnlyList<SearchDimension> searched) => value.Index is { } index
        ? searched[index]
        : searched[value.Others[0]] with { Name = value.Name, Model = 0, Low = double.NaN, High = double.NaN, Start = null };

    private static ReportTrial Trial(Trial trial, IReadOnlyList<double> point) => new(
        trial.Index, trial.Generation, point, trial.Score.Status switch
        {
            ScoreStatus.Ok => ReportStatus.Ok,
            ScoreStatus.TimedOut => ReportStatus.TimedOut,
            ScoreStatus.NotANumber => ReportStatus.NotANumber,
            _ => ReportStatus.Failed,
        }, trial.Objective, trial.Score.Seconds)
    {
        Metrics = trial.Score.Metrics,
        Error = trial.Score.Error,
    };

    private static TaskVectorGram? Gram(SearchSession session, CancellationToken cancellation)
    {
        var plan = session.Planned.Plan;
        if (plan.Models.Count is < 2 or > MostDistances || plan.Tensors.Any(t => !t.IsCopied && t.Models.Length != plan.Models.Count))
            return null;
        var gram = IngredientGram.Of(plan, session.Request.Settings, new RunProgress(), cancellation);
        return new(session.Planned.ModelNames, gram.Products, gram.HasBase);
    }
}

using System.Globalization;
using System.Text.Json;
using Merge.Merging;
using Merge.Scoring;
using Merge.Sdk;
using Merge.Search;
using Merge.Trust;

namespace Merge.Commands;

/// <summary>What a finished search says.</summary>
internal static class SearchListing
{
    // The rest is in the report and in best.yaml.
    private const int MostValues = 24;

    public static void Print(Terminal terminal, SearchSession session, SearchOutcome outcome, TimeSpan time)
    {
        var folder = session.Request.Folder;
        if (terminal.IsJson && outcome.Best is not null)
        {
            terminal.Json(json =>
            {
                Write(json, session, outcome);
                json.WriteNumber("seconds", Math.Round(time.TotalSeconds, 3));
            });
            return;
        }
        terminal.Line($"{outcome.Trials.Count} trials ({session.Request.Progress.Resumed} from the journal) in {time.TotalSeconds:0.0} s; {session.Place}");
        if (outcome.Best is { } best)
        {
            terminal.Line();
            PrintScores(terminal, session, outcome, best);
            terminal.Line();
            var values = new TerminalTable("chosen", "value", "of model");
            var (dimensions, whole) = (session.Planned.Space.Dimensions, session.Planned.Options.Whole.Values);
            foreach (var value in whole.Take(MostValues))
            {
                values.Add(value.Name + (value.Follows ? " (1 − the others)" : ""), value.Of(best.Point).ToString("G6", CultureInfo.InvariantCulture),
                    (value.Index is { } index ? dimensions[index].Model : 0) is { } model ? session.Planned.ModelNames[model] : "");
            }
            values.Write(terminal);
            if (whole.Count > MostValues)
                terminal.Line($"… and {whole.Count - MostValues} more");
            terminal.Line();
        }
        foreach (var sentence in Sentences(session, outcome))
            terminal.Line(sentence);
        terminal.Line();
        if (outcome.Best is not null)
        {
            terminal.Line($"model   {folder.Best}");
            terminal.Line($"recipe  {folder.BestRecipe} (merge run makes the same model)");
        }
        terminal.Line($"report  {folder.Report}");
    }

    /// <summary>What the statistics say, and what a reader should know.</summary>
    public static IEnumerable<string> Sentences(SearchSession session, SearchOutcome outcome)
    {
        var splits = session.Recipe.Splits;
        foreach (var (against, difference) in outcome.Comparisons)
            yield return Verdict.Of(difference, "the result", against) + On(splits.Report ?? splits.Selection);
        if (outcome.Comparisons.Count == 0 && outcome.Ingredients.Count + outcome.Baselines.Count > 0)
            yield return "Without scores of single examples nobody can say whether these differences are more than luck.";
        if (outcome.Rescored.Count > 1)
        {
            yield return Verdict.OfWinner([.. outcome.Rescored.Select(r => r.Trial.Objective!.Value)],
                [.. outcome.Rescored.Select(r => r.Other.Objective ?? double.NaN)]);
        }
        if (outcome.Noise is { } noise)
            yield return Verdict.Of(noise);
        foreach (var remark in outcome.Remarks)
            yield return remark;
    }

    /// <summary>The first lines of the best recipe.</summary>
    public static IReadOnlyList<string> Comment(SearchSession session, SearchOutcome outcome) =>
    [
        $"The best of {outcome.Trials.Count} trials by merge search ({session.Recipe.Objective}): "
            + $"{Number(outcome.Best!.Objective)} on '{session.Recipe.Splits.Selection}', trial {outcome.Best.Index}.",
        .. outcome.Report?.Objective is { } report ? [$"On '{session.Recipe.Splits.Report}', which chose nothing: {Number(report)}."] : Array.Empty<string>(),
        .. session.Planned.Options.Whole.Following.Select(v => $"{v.Name} is what the others leave: {v.Of(outcome.Best.Point).ToString("R", CultureInfo.InvariantCulture)}."),
    ];

    public static MergeException NoScore(SearchFolder folder, IReadOnlyList<Trial> trials) => new(
    [
        new Diagnostic("no trial has a score, so there is no best one")
        {
            Where = folder.Journal,
            Fix = "'merge trials' lists why each failed.",
        },
        .. FailureReason.Of(trials).Take(1).Select(r => new Diagnostic($"{r.Trials} of {trials.Count} trials: {r.Error}") { Actor = r.Actor }),
    ]);

    private static void PrintScores(Terminal terminal, SearchSession session, SearchOutcome outcome, Trial best)
    {
        var splits = session.Recipe.Splits;
        var table = new TerminalTable([session.Recipe.Objective!.ToString(), splits.Selection, .. splits.Report is { } r ? [r] : Array.Empty<string>()]);
        Add("the result (trial " + best.Index.ToString(CultureInfo.InvariantCulture) + ")", best.Score, outcome.Report);
        if (IngredientScore.Best(outcome.Ingredients) is { } ingredient)
            Add($"the best single model ({ingredient.Name})", ingredient.Selection, ingredient.Report);
        foreach (var baseline in outcome.Baselines)
            Add(baseline.Name, baseline.Selection, baseline.Report);
        table.Write(terminal);

        void Add(string name, TrialScore selection, TrialScore? report) => table.Add(
            [name, Number(selection.Objective), .. splits.Report is null ? Array.Empty<string>() : [Number(report?.Objective)]]);
    }

    private static string Number(double? value) => value?.ToString("0.#####", CultureInfo.InvariantCulture) ?? "–";

    private static string On(string split) => $" (on '{split}')";

    /// <summary>The fields of <c>--json</c>.</summary>
    public static void Write(Utf8JsonWriter json, SearchSession session, SearchOutcome outcome)
    {
        var folder = session.Request.Folder;
        json.WriteString("output", folder.Path);
        json.WriteString("model", folder.Best);
        json.WriteString("recipe", folder.BestRecipe);
        json.WriteString("report", folder.Report);
        json.WriteNumber("trials_resumed", session.Request.Progress.Resumed);
        WriteFindings(json, session, outcome);
    }

    /// <summary>What was found, without where and when.</summary>
    public static void WriteFindings(Utf8JsonWriter json, SearchSession session, SearchOutcome outcome)
    {
        var best = outcome.Best!;
        json.WriteNumber("trials", outcome.Trials.Count);
        json.WriteNumber("trials_failed", outcome.Trials.Count(t => t.Objective is null));
        json.WriteStartObject("best");
        json.WriteNumber("trial", best.Index);
        ValueText.Write(json, "selection", best.Objective);
        ValueText.Write(json, "report", outcome.Report?.Objective);
        json.WriteStartObject("values");
        foreach (var (name, value) in session.Planned.Options.Named(best.Point))
            json.WriteNumber(name, value);
        json.WriteEndObject();
        json.WriteStartObject("following");
        foreach (var value in session.Planned.Options.Whole.Following)
            json.WriteNumber(value.Name, value.Of(best.Point));
        json.WriteEndObject();
        json.WriteEndObject();
        WriteScores(json, "ingredients", "model", outcome.Ingredients);
        WriteScores(json, "baselines", "name", outcome.Baselines);
        json.WriteStartArray("comparisons");
        foreach (var (against, difference) in outcome.Comparisons)
        {
            json.WriteStartObject();
            json.WriteString("against", against);
            DifferenceText.Write(json, difference);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("rescored");
        foreach (var (trial, other) in outcome.Rescored)
        {
            json.WriteStartObject();
            json.WriteNumber("trial", trial.Index);
            ValueText.Write(json, "selection", trial.Objective);
            ValueText.Write(json, "report", other.Objective);
            if (other.Error is { } error)
                json.WriteString("error", error);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("conclusions");
        foreach (var sentence in Sentences(session, outcome))
            json.WriteStringValue(sentence);
        json.WriteEndArray();
    }
    private static void WriteScores(Utf8JsonWriter json, string list, string name, IReadOnlyList<IngredientScore> scores)
    {
        json.WriteStartArray(list);
        foreach (var score in scores)
        {
            json.WriteStartObject();
            json.WriteString(name, score.Name);
            ValueText.Write(json, "selection", score.Selection.Objective);
            if (score.Report is not null)
                ValueText.Write(json, "report", score.Report.Objective);
            if ((score.Selection.Error ?? score.Report?.Error) is { } error)
                json.WriteString("error", error);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}

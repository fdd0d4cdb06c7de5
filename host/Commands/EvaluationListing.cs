using System.Globalization;
using System.Text.Json;
using Merge.Scoring;
using Merge.Sdk;
using Merge.Search;
using Merge.Trust;

namespace Merge.Commands;

/// <summary>What models score: a table, and how the others compare with the first.</summary>
internal sealed class EvaluationListing(Terminal terminal, EvaluateRequest request, EvaluateOutcome outcome)
{
    /// <summary>Prints it; gives the exit code.</summary>
    /// <exception cref="MergeException">Models that have no score; with <c>--json</c> they are in the object.</exception>
    public int Print()
    {
        Diagnostic[] failures = [.. outcome.Models.Where(HasFailed).Select(Failure)];
        if (terminal.IsJson)
        {
            terminal.Json(Write, failures);
            return failures.Length == 0 ? 0 : 1;
        }
        if (failures.Length < outcome.Models.Count)
            PrintTable();
        string[] sentences = [.. Sentences()];
        if (sentences.Length > 0)
            terminal.Line();
        foreach (var sentence in sentences)
            terminal.Line(sentence);
        foreach (var model in outcome.Models.Where(m => m.Printed.Count > 0))
        {
            terminal.Note($"the last lines that the evaluator printed on '{model.Name}':");
            foreach (var line in model.Printed)
                terminal.Note($"  {line}");
        }
        return failures.Length == 0 ? 0 : throw new MergeException(failures);
    }

    private string[] Metrics =>
    [
        .. (request.Objective?.Terms.Select(t => t.Metric) ?? [])
            .Concat(outcome.Models.SelectMany(m => m.Score.Metrics.Keys).Order(StringComparer.Ordinal)).Distinct(),
    ];

    private static bool HasFailed(ScoredModel model) =>
        model.Score.Status is ScoreStatus.Failed or ScoreStatus.TimedOut or ScoreStatus.NotANumber;

    private void PrintTable()
    {
        var metrics = Metrics;
        // Of a weighted sum the sum itself, too.
        string[] sum = request.Objective is { Terms.Count: > 1 } objective ? [objective.ToString()] : [];
        var table = new TerminalTable([$"on '{request.Split}'", .. sum, .. metrics, "examples"]);
        foreach (var model in outcome.Models)
        {
            table.Add(
            [
                model.Name,
                .. sum.Select(_ => Number(model.Score.Objective is { } value && request.Objective is { Maximize: false } ? -value : model.Score.Objective)),
                .. metrics.Select(m => Number(model.Score.Metrics.TryGetValue(m, out var value) ? value : null)),
                string.Join(", ", model.Score.Examples.Values.Select(e => e.Count).Distinct().Order()),
            ]);
        }
        table.Write(terminal);
    }

    private IEnumerable<string> Sentences()
    {
        foreach (var (model, metric, difference) in outcome.Comparisons)
            yield return Verdict.Of(difference, Quoted(outcome.Models[model]), Quoted(outcome.Models[0]), metric);
        foreach (var model in outcome.Models.Where(m => m.Score.Status is ScoreStatus.Infeasible))
            yield return $"{Quoted(model)} breaks a constraint: {model.Score.Error}.";
        int[] apart = [.. Enumerable.Range(1, outcome.Models.Count - 1)
            .Where(i => !HasFailed(outcome.Models[i]) && !HasFailed(outcome.Models[0]) && outcome.Comparisons.All(c => c.Model != i))];
        if (apart.Length > 0)
        {
            yield return $"{(apart.Length == outcome.Models.Count - 1 ? "They" : string.Join(", ", apart.Select(i => Quoted(outcome.Models[i]))))} "
                + $"cannot be compared with {Quoted(outcome.Models[0])} example by example: "
                + "the evaluator gives no scores of single examples, or not of the same ones. Whether a difference is more than luck is not known.";
        }
    }

    private Diagnostic Failure(ScoredModel model) => new($"{Quoted(model)} has no score: {model.Score.Error ?? "no reason given"}")
    {
        Where = model.Path,
        Actor = model.Score.Actor,
        Fix = model.Score.Status is ScoreStatus.TimedOut ? "Give it more time, by --timeout or the recipe's 'timeout'."
            : model.Score.Actor is Actor.User ? $"Repair the evaluation. If it has no split '{request.Split}': --split NAME." : null,
    };

    private void Write(Utf8JsonWriter json)
    {
        json.WriteString("split", request.Split);
        if (request.Objective is { } objective)
            json.WriteString("objective", objective.ToString());
        json.WriteStartArray("models");
        foreach (var model in outcome.Models)
        {
            json.WriteStartObject();
            json.WriteString("model", model.Name);
            json.WriteString("path", model.Path);
            json.WriteString("status", Recipes.ParameterText.SnakeCase(model.Score.Status.ToString()));
            if (request.Objective is not null)
                ValueText.Write(json, "objective", model.Score.Objective);
            json.WriteStartObject("metrics");
            foreach (var (metric, value) in model.Score.Metrics)
                ValueText.Write(json, metric, value);
            json.WriteEndObject();
            json.WriteStartObject("examples");
            foreach (var (metric, values) in model.Score.Examples)
            {
                json.WriteStartArray(metric);
                foreach (var value in values)
                {
                    if (double.IsFinite(value))
                        json.WriteNumberValue(value);
                    else
                        json.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
            if (model.Score.Error is { } error)
                json.WriteString("error", error);
            if (model.Printed.Count > 0)
                json.WriteString("printed", string.Join('\n', model.Printed));
            json.WriteNumber("seconds", Math.Round(model.Score.Seconds, 3));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("comparisons");
        foreach (var (model, metric, difference) in outcome.Comparisons)
        {
            json.WriteStartObject();
            json.WriteString("model", outcome.Models[model].Name);
            json.WriteString("against", outcome.Models[0].Name);
            if (metric is not null)
                json.WriteString("metric", metric);
            DifferenceText.Write(json, difference, isObjective: metric is null);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("conclusions");
        foreach (var sentence in Sentences())
            json.WriteStringValue(sentence);
        json.WriteEndArray();
    }

    private static string Quoted(ScoredModel model) => $"'{model.Name}'";

    private static string Number(double? value) => value?.ToString("0.#####", CultureInfo.InvariantCulture) ?? "–";
}

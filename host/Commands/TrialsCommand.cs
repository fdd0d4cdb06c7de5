using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;
using Merge.Search;
using Merge.Trust;

namespace Merge.Commands;

/// <summary><c>merge trials OUT</c>: what a search or a soup has tried; also while it runs.</summary>
internal static class TrialsCommand
{
    private const int Shown = 20;
    private const int MostModels = 8;

    public static Command Create(Terminal terminal)
    {
        var folder = MergeOptions.NotEmpty(new Argument<string>("OUT") { Description = "The folder of a search or a soup." });
        var best = MergeOptions.Count("--best", $"The N best instead of all or the newest {Shown}.", 1, int.MaxValue);
        var all = new Option<bool>("--all") { Description = "All of them." };
        var csv = new Option<bool>("--csv") { Description = "As CSV: values, metrics, durations; all of them, or the --best." };
        var compare = new Option<int[]>("--compare")
        {
            Description = "Compare two trials: values, metrics, and a paired bootstrap over the examples.",
            HelpName = "A B",
            Arity = new ArgumentArity(2, 2),
            AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command("trials", "List, compare and export what a search has tried.") { folder, best, all, csv, compare };
        command.SetAction(parsed =>
        {
            var path = Path.GetFullPath(parsed.GetRequiredValue(folder));
            var journal = TrialJournal.Read(path);
            if (parsed.GetValue(compare) is { Length: 2 } pair)
                Compare(terminal, path, journal, Find(journal, pair[0], path), Find(journal, pair[1], path));
            else if (parsed.GetValue(csv))
                WriteCsv(terminal, journal, Chosen(journal, parsed.GetValue(best)));
            else if (terminal.IsJson)
                WriteJson(terminal, journal, Chosen(journal, parsed.GetValue(best)), FindingsFile.Read(new(path)));
            else
                List(terminal, journal, parsed.GetValue(best), parsed.GetValue(all), FindingsFile.Read(new(path)));
            return 0;
        });
        return command;
    }

    /// <summary>What is exported: all, unless the best are asked for.</summary>
    private static IReadOnlyList<Trial> Chosen(JournalContent journal, int? best) =>
        best is { } count ? SecondLook.Top(journal.Trials, count) : journal.Trials;

    private static void List(Terminal terminal, JournalContent journal, int? best, bool all, JsonElement? findings)
    {
        IReadOnlyList<Trial> shown = best is { } count ? SecondLook.Top(journal.Trials, count)
            : all ? journal.Trials : [.. journal.Trials.TakeLast(Shown)];
        var metrics = Metrics(journal);
        // Of a soup its models are what was tried; older journals do not name them.
        string[] models = journal.IsSoup && journal.Models.Count == journal.Names.Count ? ["models"] : [];
        var table = new TerminalTable(["trial", "generation", "status", "objective", .. metrics, "seconds", .. models, "why"]);
        foreach (var trial in shown)
        {
            table.Add(
            [
                Text(trial.Index), Text(trial.Generation), Status(trial), Number(trial.Objective),
                .. metrics.Select(m => Number(trial.Score.Metrics.TryGetValue(m, out var value) ? value : null)),
                trial.Score.Seconds.ToString("0.###", CultureInfo.InvariantCulture), .. models.Select(_ => Soup(journal, trial)),
                trial.Score.Error ?? "",
            ]);
        }
        table.Write(terminal);
        if (shown.Count < journal.Trials.Count)
            terminal.Line($"{shown.Count} of {journal.Trials.Count}; --all lists all, --best N the best");
        if (findings is not { } found || FindingsFile.Conclusions(found) is not var (trials, result, sentences))
            return;
        terminal.Line();
        terminal.Line($"{(trials == journal.Trials.Count ? "What it came to" : $"What it came to after {trials} trials")}: the result is trial {result}.");
        foreach (var sentence in sentences)
            terminal.Line(sentence);
    }

    private static string Soup(JournalContent journal, Trial trial)
    {
        string[] within = [.. journal.Models.Zip(trial.Point).Where(m => m.Second != 0).Select(m => m.First)];
        return within.Length == journal.Models.Count && within.Length > 1 ? "all"
            : string.Join(", ", within.Take(MostModels)) + (within.Length > MostModels ? $" and {within.Length - MostModels} more" : "");
    }

    private static void Compare(Terminal terminal, string path, JournalContent journal, Trial a, Trial b)
    {
        var difference = Difference(journal, path, a, b);
        if (terminal.IsJson)
        {
            terminal.Json(json =>
            {
                foreach (var (name, trial) in new[] { ("a", a), ("b", b) })
                {
                    json.WriteStartObject(name);
                    JournalText.Write(json, trial);
                    json.WriteEndObject();
                }
                if (difference is not null)
                {
                    json.WriteStartObject("difference");
                    DifferenceText.Write(json, difference);
                    json.WriteEndObject();
                }
            });
            return;
        }
        var table = new TerminalTable("", $"trial {a.Index}", $"trial {b.Index}", "difference");
        table.Add("status", Status(a), Status(b), "");
        Row("objective", a.Objective, b.Objective);
        foreach (var metric in Metrics(journal))
        {
            Row(metric, a.Score.Metrics.TryGetValue(metric, out var x) ? x : null,
                b.Score.Metrics.TryGetValue(metric, out var y) ? y : null);
        }
        foreach (var value in new WholePoint(journal.Names).Values)
            Row(value.Name + Model(value), value.Of(a.Point), value.Of(b.Point));
        table.Write(terminal);
        terminal.Line();
        terminal.Line(difference is null
            ? "There are no scores of single examples to compare them by."
            : Verdict.Of(difference, $"trial {a.Index}", $"trial {b.Index}"));

        string Model(WholeValue value) =>
            value.Model is { } model && model < journal.Models.Count ? $" ({journal.Models[model]})" : "";

        void Row(string name, double? x, double? y) => table.Add(name, Number(x), Number(y), Number(x - y));
    }

    private static PairedDifference? Difference(JournalContent journal, string path, Trial a, Trial b)
    {
        var objective = JournalScores.ObjectiveOf(journal, Path.Combine(path, TrialJournal.FileName));
        return objective.Examples(a.Score.Examples) is { Count: > 0 } x && objective.Examples(b.Score.Examples) is { } y && x.Count == y.Count
            ? PairedBootstrap.Compare(x, y) : null;
    }

    private static void WriteCsv(Terminal terminal, JournalContent journal, IReadOnlyList<Trial> trials)
    {
        var metrics = Metrics(journal);
        var values = new WholePoint(journal.Names).Values;
        terminal.Line(Row(["trial", "generation", "status", "objective", .. metrics, "seconds", "merge_seconds", .. values.Select(v => v.Name), "error"]));
        foreach (var trial in trials)
        {
            terminal.Line(Row(
            [
                Text(trial.Index), Text(trial.Generation), Status(trial), Exact(trial.Objective),
                .. metrics.Select(m => Exact(trial.Score.Metrics.TryGetValue(m, out var value) ? value : null)),
                Exact(trial.Score.Seconds), Exact(trial.MergeSeconds), .. values.Select(v => Exact(v.Of(trial.Point))), trial.Score.Error ?? "",
            ]));
        }
    }

    private static void WriteJson(Terminal terminal, JournalContent journal, IReadOnlyList<Trial> trials, JsonElement? findings) =>
        terminal.Json(json =>
    {
        json.WriteStartArray("names");
        foreach (var name in journal.Names)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteStartArray("models");
        foreach (var model in journal.Models)
            json.WriteStringValue(model);
        json.WriteEndArray();
        if (findings is { } found)
        {
            json.WritePropertyName("findings");
            found.WriteTo(json);
        }
        json.WriteStartArray("trials");
        foreach (var trial in trials)
        {
            json.WriteStartObject();
            JournalText.Write(json, trial);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    private static Trial Find(JournalContent journal, int index, string path) => journal.Trials.FirstOrDefault(t => t.Index == index)
        ?? throw new MergeException(new Diagnostic($"there is no trial {index}")
        {
            Where = path,
            Expected = journal.Trials.Count == 0 ? "none has been tried yet" : $"0 to {journal.Trials.Count - 1}",
        })
        { WrongUsage = true };

    private static string[] Metrics(JournalContent journal) =>
        [.. journal.Trials.SelectMany(t => t.Score.Metrics.Keys).Distinct().Order(StringComparer.Ordinal)];

    private static string Status(Trial trial) => ParameterText.SnakeCase(trial.Score.Status.ToString());

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Number(double? value) => value?.ToString("G6", CultureInfo.InvariantCulture) ?? "–";

    private static string Exact(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    // RFC 4180.
    private static string Row(IEnumerable<string> cells) => string.Join(',', cells.Select(c =>
        c.AsSpan().ContainsAny(",\"\r\n") ? $"\"{c.Replace("\"", "\"\"")}\"" : c));
}

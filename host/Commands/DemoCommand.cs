using System.CommandLine;
using Merge.Commands.Demo;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge demo</c>: the main job on real data, with nothing to download.</summary>
internal static class DemoCommand
{
    private const string Marker = ".merge-demo";

    /// <summary>What the data and models are, and how to read the table; beside the program.</summary>
    internal static string Page { get; } = Path.Combine(AppContext.BaseDirectory, "samples", "digits", "README.md");

    public static Command Create(Terminal terminal)
    {
        var output = new Option<string>("--out")
        {
            Description = "The folder for checkpoints, recipes and merged models; an earlier demo's files are replaced.",
            HelpName = "FOLDER",
            DefaultValueFactory = _ => "merge-demo",
        };
        var command = new Command(
            "demo", "Train small classifiers of handwritten digits, merge them in every way, compare. Takes seconds.")
        {
            output,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var folder = Prepare(Path.GetFullPath(parsed.GetRequiredValue(output), Environment.CurrentDirectory));
            using var catalog = PluginOptions.Load(parsed, terminal);
            var results = new DigitsDemo(folder, catalog, terminal.Note).Run(cancellation);
            if (terminal.IsJson)
                PrintJson(terminal, folder, results);
            else
                Print(terminal, folder, results);
            return Task.FromResult(0);
        });
        return command;
    }

    private static string Prepare(string folder)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            if (!File.Exists(Path.Combine(folder, Marker)))
            {
                throw new MergeException(new Diagnostic("the folder exists and was not made by the demo")
                {
                    Where = folder,
                    Fix = "Give another one with --out.",
                })
                { WrongUsage = true };
            }
        }
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, Marker), "");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new MergeException(
                new Diagnostic($"the folder cannot be made: {fault.Message}") { Where = folder, Fix = "Give another one with --out." },
                fault);
        }
        return folder;
    }

    private static void Print(Terminal terminal, string folder, IReadOnlyList<DemoResult> results)
    {
        terminal.Line("Accuracy on 899 images of writers that no model was trained on (standard error about 0.65 points):");
        terminal.Line();
        var ingredients = new TerminalTable("ingredient", "accuracy");
        foreach (var result in results.Where(r => r.Method is null))
            ingredients.Add(result.Name, Percent(result.Accuracy));
        ingredients.Write(terminal);
        terminal.Line();
        var merges = new TerminalTable("merge", "method", "accuracy", "against its best ingredient", "what it is");
        foreach (var result in results.Where(r => r.Method is not null))
        {
            merges.Add(
                result.Name,
                result.Method!,
                Percent(result.Accuracy),
                $"{(result.Accuracy - result.BestIngredient!.Value) * 100:+0.0;-0.0;0.0} points",
                result.What);
        }
        merges.Write(terminal);
        terminal.Line();
        var gains = results.Where(r => r.BestIngredient is not null).ToArray();
        terminal.Line(
            $"{gains.Count(g => g.Accuracy > g.BestIngredient)} of {gains.Length} merges are better than the best model they "
            + $"are made of, {gains.Count(g => g.Accuracy < g.BestIngredient)} are worse: {Page} says why.");
        terminal.Line();
        terminal.Line($"Reports of the soup and the search, for a browser:");
        foreach (var name in new[] { DemoSearches.Soup, DemoSearches.Lcsc })
            terminal.Line($"  {Path.Combine(folder, "searched", name, "report.html")}");
        terminal.Line();
        terminal.Line($"Checkpoints, recipes and merged models are in {folder}. Try:");
        terminal.Line($"  merge run {Path.Combine(folder, "ema.yaml")} my-first-merge");
        terminal.Line($"  merge search {Path.Combine(folder, "lcsc.yaml")} my-first-search");
        terminal.Line($"  merge evaluate {Path.Combine(folder, "tune-1")} {Path.Combine(folder, "merged", "ema")} --evaluate plugin:digits --maximize accuracy");
        terminal.Line($"  merge inspect {Path.Combine(folder, "tune-1")} {Path.Combine(folder, "merged", "ema")}");
    }

    private static string Percent(double share) => $"{share * 100:0.0} %";

    private static void PrintJson(Terminal terminal, string folder, IReadOnlyList<DemoResult> results) => terminal.Json(json =>
    {
        json.WriteString("folder", folder);
        json.WriteStartArray("results");
        foreach (var result in results)
        {
            json.WriteStartObject();
            json.WriteString("name", result.Name);
            json.WriteString("method", result.Method);
            json.WriteNumber("accuracy", Math.Round(result.Accuracy, 6));
            if (result.BestIngredient is { } best)
                json.WriteNumber("best_ingredient", Math.Round(best, 6));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });
}

using System.Diagnostics;
using System.Text.Json;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge run</c> and <c>merge run --dry-run</c> of a recipe of several merges.</summary>
internal sealed record StagedRun
{
    public required Terminal Terminal { get; init; }

    public required StagedRecipe Recipe { get; init; }

    /// <summary>Makes a planner that finds merges by their names in these folders.</summary>
    public required Func<IReadOnlyDictionary<string, string>, RecipePlanner> Planner { get; init; }

    public required long MaxShardBytes { get; init; }

    public required RunSettings Settings { get; init; }

    public required bool Force { get; init; }

    public required bool Sha256 { get; init; }

    public required bool KeepStages { get; init; }

    public void PrintPlans()
    {
        using var plans = StagePlans.Of(Recipe, Planner, MaxShardBytes);
        var merges = Recipe.All.Zip(plans.All).ToArray();
        foreach (var warning in plans.All.SelectMany(p => p.Warnings))
            Terminal.Warn(warning);
        if (Terminal.IsJson)
        {
            Terminal.Json(json => WriteStages(json, merges, merge =>
                PlanListing.Write(json, merge.Second, PlanOutlook.Of(merge.Second, Settings), Settings)));
            return;
        }
        foreach (var (merge, plan) in merges)
        {
            Terminal.Line(Heading(merge));
            PlanListing.PrintPlan(Terminal, plan, PlanOutlook.Of(plan, Settings), Settings);
            Terminal.Line();
        }
        Terminal.Line("nothing was written");
    }

    public void Execute(string final, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        // What is wrong with the last merge is told before hours go into the first.
        using (var plans = StagePlans.Of(Recipe, Planner, MaxShardBytes))
        {
            foreach (var plan in plans.All)
            {
                OutputTarget.Check(final, plan, Force, Recipe.Final is null ? Recipe.Names : null);
                _ = MatrixRoom.Fit(plan, Settings);
            }
        }
        var stages = new StagesFolder(final);
        var done = new List<(Recipe Merge, RunReport? Report)>();
        try
        {
            foreach (var merge in Recipe.All)
                done.Add((merge, Make(merge, final, stages, cancellation)));
            if (Recipe.Final is null)
                stages.Complete(Recipe.Names);
            else if (!KeepStages)
                stages.Remove([]);
        }
        catch
        {
            if (stages.HasAny)
                Terminal.Note($"what was finished is kept in {stages.Path}: the same command goes on from there");
            else
                stages.Remove([]);
            throw;
        }
        Report(final, done, clock.Elapsed.TotalSeconds);
    }

    /// <summary>The heading of what is said of one merge.</summary>
    public static string Heading(Recipe merge) => merge.Name is { } name
        ? $"merge {RecipeText.Quote(name.Text)} (line {merge.Line})" : $"the final merge (line {merge.Line})";

    /// <summary>The property <c>stages</c>: an object for each merge, with its name or null.</summary>
    public static void WriteStages<T>(
        Utf8JsonWriter json, IEnumerable<(Recipe Merge, T Second)> merges, Action<(Recipe Merge, T Second)> fields)
    {
        json.WriteStartArray("stages");
        foreach (var merge in merges)
        {
            json.WriteStartObject();
            json.WriteString("name", merge.Merge.Name?.Text);
            fields(merge);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <returns>Null where an earlier run has made it.</returns>
    private RunReport? Make(Recipe merge, string final, StagesFolder stages, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        using var planner = Planner(Recipe.Names.ToDictionary(n => n, stages.Of));
        var plan = planner.Plan(merge, MaxShardBytes);
        foreach (var warning in plan.Warnings)
            Terminal.Warn(warning);
        Terminal.Line(Heading(merge));
        if (merge.Name is { Text: var name })
        {
            if (stages.IsMade(name, plan))
            {
                Terminal.Line("taken over from an earlier run");
                return null;
            }
            stages.Begin(name, plan);
        }
        var progress = new RunProgress();
        var summary = TerminalProgress.Run(
            Terminal,
            merge.Name is null ? "merging" : $"merging {merge.Name.Text}",
            plan.InputBytes + plan.OutputBytes,
            progress,
            () => MergeToFolder.Run(
                plan,
                merge.Name is null ? final : stages.Of(merge.Name.Text),
                Force && merge.Name is null,
                Sha256,
                MatrixRoom.Fit(plan, Settings),
                progress,
                cancellation));
        foreach (var finding in summary.Findings)
            Terminal.Warn(finding);
        var report = new RunReport(plan, progress, clock.Elapsed.TotalSeconds) { Modules = summary.Modules };
        report.Print(Terminal);
        return report;
    }

    private void Report(string final, List<(Recipe Merge, RunReport? Report)> done, double seconds)
    {
        if (!Terminal.IsJson)
        {
            Terminal.Line($"{done.Count} merges in {seconds:0.00} s");
            Terminal.Line(final);
            return;
        }
        Terminal.Json(json =>
        {
            json.WriteString("output", final);
            json.WriteNumber("seconds", Math.Round(seconds, 3));
            WriteStages(json, done, merge =>
            {
                json.WriteBoolean("reused", merge.Second is null);
                merge.Second?.Write(json);
            });
        });
    }
}

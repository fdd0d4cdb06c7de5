using System.Diagnostics;
using Merge.Merging;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Samples.Digits;

namespace Merge.Commands.Demo;

/// <summary>One line of the demo's table.</summary>
/// <param name="Name">The checkpoint or the recipe.</param>
/// <param name="Method">The method, or null for an ingredient.</param>
/// <param name="What">What it is.</param>
/// <param name="Accuracy">Share of the report split it gets right.</param>
/// <param name="BestIngredient">The same of the best of the models it was made of; null for an ingredient.</param>
internal sealed record DemoResult(string Name, string? Method, string What, double Accuracy, double? BestIngredient);

/// <summary>
/// The main job on real data: trains checkpoints, merges them by every recipe of the sample, scores all of them on
/// images of writers that nothing was trained on.
/// </summary>
internal sealed class DigitsDemo(string folder, PluginCatalog plugins, Action<string> tell)
{
    public static string RecipesFolder { get; } = Path.Combine(AppContext.BaseDirectory, "samples", "digits", "recipes");

    public IReadOnlyList<DemoResult> Run(CancellationToken cancellation)
    {
        var data = DigitsData.Load(DigitsData.DefaultFolder);
        var clock = Stopwatch.StartNew();
        var zoo = DigitsZoo.Train(data.Train);
        foreach (var model in zoo)
            DigitsCheckpoint.Write(Path.Combine(folder, model.Name), model);
        WriteTrainingLog(zoo, data.Train);
        tell($"trained {zoo.Count} checkpoints in {clock.Elapsed.TotalSeconds:0.0} s");

        var accuracy = zoo.ToDictionary(
            m => Path.GetFullPath(Path.Combine(folder, m.Name)), m => Accuracy.Of(m.Model, data.Report));
        var ingredients = zoo.Where(m => !m.Name.StartsWith(DigitsZoo.Trajectory, StringComparison.Ordinal)).Select(m =>
            new DemoResult(m.Name, null, m.Name, accuracy[Path.GetFullPath(Path.Combine(folder, m.Name))], null));
        var run = zoo.Where(m => m.Name.StartsWith(DigitsZoo.Trajectory, StringComparison.Ordinal))
            .Select(m => accuracy[Path.GetFullPath(Path.Combine(folder, m.Name))])
            .ToArray();

        clock.Restart();
        var merges = Directory.GetFiles(RecipesFolder, "*.yaml").Order(StringComparer.Ordinal)
            .Select(path => Merge(path, accuracy, data.Report, cancellation))
            .ToArray();
        tell($"made {merges.Length} merges in {clock.Elapsed.TotalSeconds:0.0} s");

        clock.Restart();
        var searches = new DemoSearches(folder, plugins);
        DemoResult[] searched =
        [
            Searched(searches, DemoSearches.Soup, "greedy soup", searches.MakeSoup(cancellation), accuracy, data.Report),
            Searched(searches, DemoSearches.Lcsc, "lcsc, searched", searches.Search(cancellation), accuracy, data.Report),
        ];
        tell($"made a greedy soup and searched 400 candidates in {clock.Elapsed.TotalSeconds:0.0} s");
        return
        [
            .. ingredients,
            new("run/checkpoint-* (worst)", null, "", run.Min(), null),
            new("run/checkpoint-* (mean)", null, "", run.Average(), null),
            new("run/checkpoint-* (best)", null, "", run.Max(), null),
            .. merges,
            .. searched,
        ];
    }

    /// <summary>The run's training loss at each checkpoint, as a trainer would have logged it: what <c>mwa</c> weights by.</summary>
    private void WriteTrainingLog(IReadOnlyList<ZooModel> zoo, DigitsSplit train)
    {
        var scorer = new DigitsScorer(train);
        var run = zoo.Where(m => m.Name.StartsWith(DigitsZoo.Trajectory, StringComparison.Ordinal)).ToArray();
        var losses = new double[run.Length];
        Parallel.For(0, run.Length, i => losses[i] = scorer.Score(run[i].Model).Loss.Average());
        File.WriteAllText(Path.Combine(folder, "run", "trainer_state.json"), JsonText.Of(json =>
        {
            json.WriteStartArray("log_history");
            foreach (var (model, loss) in run.Zip(losses))
            {
                json.WriteStartObject();
                json.WriteNumber("step", model.Step);
                json.WriteNumber("loss", loss);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }));
    }

    private static DemoResult Searched(
        DemoSearches searches, string name, string method, Recipe recipe, Dictionary<string, double> accuracy, DigitsSplit report)
    {
        var models = ResolvedRecipe.Of(recipe, ModelPlaces.Of(recipe.Path, [])).Models;
        return new(
            name,
            method,
            recipe.Text.Split('\n')[0].TrimStart('#', ' '),
            Accuracy.Of(DigitsCheckpoint.Read(searches.FolderOf(name).Best), report),
            models.Max(m => accuracy[m.Path]));
    }

    private DemoResult Merge(
        string source, Dictionary<string, double> accuracy, DigitsSplit report, CancellationToken cancellation)
    {
        // Beside the checkpoints, so that a user can run it again: it names them relative to itself.
        var path = Path.Combine(folder, Path.GetFileName(source));
        File.Copy(source, path, overwrite: true);
        var recipe = RecipeFile.Read(path);
        using var planner = new RecipePlanner(plugins, []);
        var plan = planner.Plan(recipe, PlanRequest.DefaultMaxShardBytes);
        var output = Path.Combine(folder, "merged", Path.GetFileNameWithoutExtension(path));
        Directory.CreateDirectory(Path.GetDirectoryName(output)!);
        MergeToFolder.Run(
            plan, output, force: true, sha256: false, new RunSettings(), new RunProgress(), cancellation);
        var best = plan.Models.Append(plan.Base).OfType<Checkpoints.Checkpoint>().Max(m => accuracy[m.Path]);
        return new(
            Path.GetFileNameWithoutExtension(path),
            plan.Strategy.Info.Id,
            recipe.Text.Split('\n')[0].TrimStart('#', ' '),
            Accuracy.Of(DigitsCheckpoint.Read(output), report),
            best);
    }
}

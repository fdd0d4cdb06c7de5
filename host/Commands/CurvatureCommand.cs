using System.CommandLine;
using System.Globalization;
using Merge.Checkpoints;
using Merge.Curvature;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge curvature</c>: what an optimiser's second moments can be made into before a merge.</summary>
internal static class CurvatureCommand
{
    public static Command Create(Terminal terminal) =>
        new("curvature", "Second moments (Adam's exp_avg_sq): compress them, find thresholds for Fast Fisher Grafting.")
        {
            Compress(terminal), Threshold(terminal),
        };

    private static Command Compress(Terminal terminal)
    {
        var input = MergeOptions.NotEmpty(new Argument<string>("IN")
        {
            Description = "Second moments: a file, an index, or a folder of them.",
        });
        var output = MergeOptions.NotEmpty(new Argument<string>("OUT") { Description = "The .safetensors file to make." });
        var force = new Option<bool>("--force") { Description = "Replace OUT if it is there." };
        var (threads, memory) = (MergeOptions.Threads(), MergeOptions.Memory());
        var command = new Command(
            "compress", "Keep of every 2-D tensor its row and column sums: rank 1, a thousandth of the size. ota, ffg and fisher read it.")
        {
            input, output, force, threads, memory,
        };
        command.SetAction((parsed, cancellation) =>
        {
            using var moments = Checkpoint.Open(parsed.GetRequiredValue(input));
            var path = Path.GetFullPath(parsed.GetRequiredValue(output));
            var progress = new RunProgress();
            var summary = TerminalProgress.Run(
                terminal,
                "compressing",
                moments.Files.Sum(f => f.Size),
                progress,
                () => Compression.Run(
                    moments,
                    path,
                    parsed.GetValue(force),
                    MergeOptions.Settings(parsed.GetValue(threads), parsed.GetValue(memory)),
                    progress,
                    cancellation));
            terminal.Line($"{summary.Compressed} tensors compressed, {summary.Kept} kept as they are");
            terminal.Line($"{DiskSpace.Text(summary.BytesBefore)} to {DiskSpace.Text(summary.BytesAfter)}");
            terminal.Line(path);
            if (terminal.IsJson)
            {
                terminal.Json(json =>
                {
                    json.WriteString("output", path);
                    json.WriteNumber("compressed", summary.Compressed);
                    json.WriteNumber("kept", summary.Kept);
                    json.WriteNumber("bytes_before", summary.BytesBefore);
                    json.WriteNumber("bytes_after", summary.BytesAfter);
                });
            }
            return Task.FromResult(0);
        });
        return command;
    }

    private static Command Threshold(Terminal terminal)
    {
        var recipe = MergeOptions.Recipe();
        var density = GraftCommand.Density("The share of the whole model's edits that is to stay, above 0 to 1.");
        density.Required = true;
        var report = MergeOptions.NotEmpty(new Option<string?>("--report")
        {
            Description = "Write it as a page, too: charts of what each layer and kind of tensor keeps. Replaces an older one.",
            HelpName = "FILE.html",
        });
        var (modelDirs, plugins) = (MergeOptions.ModelDirs(), MergeOptions.Plugins());
        var (threads, memory) = (MergeOptions.Threads(), MergeOptions.Memory());
        var command = new Command(
            "threshold",
            "Find each model's precond_threshold for a density over the whole model, and which layers keep their edits.")
        {
            recipe, density, report, modelDirs, plugins, threads, memory,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var recipeFile = parsed.GetRequiredValue(recipe);
            var page = parsed.GetValue(report) is { } name ? Path.GetFullPath(name) : null;
            if (page is not null)
                MaskReport.Check(page);
            using var catalog = PluginOptions.Load(parsed, terminal, plugins);
            using var planner = new RecipePlanner(catalog, parsed.GetValue(modelDirs) ?? []);
            var plan = planner.Plan(RecipeFile.Read(recipeFile), PlanRequest.DefaultMaxShardBytes);
            foreach (var warning in plan.Warnings)
                terminal.Warn(warning);
            var progress = new RunProgress();
            var found = TerminalProgress.Run(
                terminal,
                "surveying",
                3 * plan.InputBytes,
                progress,
                () => ThresholdSurvey.Run(
                    plan,
                    [.. plan.Models.Select(m => NameOf(plan, m))],
                    parsed.GetValue(density)!.Value,
                    MergeOptions.Settings(parsed.GetValue(threads), parsed.GetValue(memory)),
                    progress,
                    cancellation));
            if (page is not null)
                MaskReport.Write(found, recipeFile, plan.Base is { } theta0 ? NameOf(plan, theta0) : null, page);
            MaskListing.Print(terminal, found, page);
            return Task.FromResult(0);
        });
        return command;
    }

    private static string NameOf(MergePlan plan, Checkpoint model) =>
        plan.InputFiles.FirstOrDefault(f => model.Files.Contains(f.File)).Model ?? model.Path;
}

using System.CommandLine;
using System.Text.Json;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge validate RECIPE</c>: everything a run checks before its first write.</summary>
internal static class ValidateCommand
{
    public static Command Create(Terminal terminal)
    {
        var recipe = MergeOptions.Recipe();
        var (modelDirs, plugins) = (MergeOptions.ModelDirs(), MergeOptions.Plugins());
        var mismatch = MergeOptions.Mismatch();
        var command = new Command("validate", "Check a recipe and its models without merging: reads headers only.")
        {
            recipe, modelDirs, plugins, mismatch,
        };
        command.SetAction(parsed =>
        {
            using var catalog = PluginOptions.Load(parsed, terminal, plugins);
            RecipePlanner Planner(IReadOnlyDictionary<string, string> stages) =>
                new(catalog, parsed.GetValue(modelDirs) ?? [])
                {
                    Stages = stages,
                    OnMismatch = (parsed.GetValue(mismatch) ?? []).Aggregate(OnMismatch.Error, (all, one) => all | one),
                };
            var merges = RecipeFile.ReadStages(parsed.GetRequiredValue(recipe));
            foreach (var idle in merges.All.Select(m => m.IdleSections).OfType<Diagnostic>())
                terminal.Warn(idle);
            using var plans = StagePlans.Of(merges, Planner, PlanRequest.DefaultMaxShardBytes);
            foreach (var warning in plans.All.SelectMany(p => p.Warnings))
                terminal.Warn(warning);
            if (terminal.IsJson)
            {
                terminal.Json(json =>
                {
                    if (merges.Stages.Count == 0)
                        Write(json, plans.All[0]);
                    else
                        StagedRun.WriteStages(json, merges.All.Zip(plans.All), merge => Write(json, merge.Second));
                });
                return 0;
            }
            foreach (var (merge, plan) in merges.All.Zip(plans.All))
            {
                if (merges.Stages.Count > 0)
                    terminal.Line(StagedRun.Heading(merge));
                Print(terminal, plan, plans.Named);
            }
            if (merges.Stages.Count > 0)
                terminal.Line("checked when they run: disk space, memory, values");
            terminal.Line("valid");
            return 0;
        });
        return command;
    }

    private static void Write(Utf8JsonWriter json, MergePlan plan)
    {
        json.WriteString("method", plan.Strategy.Info.Id);
        json.WriteNumber("models", plan.Models.Count);
        json.WriteNumber("tensors", plan.Tensors.Count);
        json.WriteNumber("bytes_in", plan.InputBytes);
        json.WriteNumber("bytes_out", plan.OutputBytes);
        json.WriteNumber("files_out", plan.Layout.Files.Count);
    }

    private static void Print(Terminal terminal, MergePlan plan, Func<string, string> named)
    {
        terminal.Line($"{plan.Strategy.Info.Name} ({plan.Strategy.Info.Id}), plugin {plan.Plugin.Name} {plan.Plugin.Version}");
        foreach (var model in plan.Models)
            terminal.Line($"  model {named(Text(model))}");
        if (plan.Base is { } baseModel)
            terminal.Line($"  base  {named(Text(baseModel))}");
        var copied = plan.Tensors.Count(t => t.IsCopied);
        terminal.Line(
            $"{plan.Tensors.Count} tensors{(copied == 0 ? "" : $" ({copied} of integers or bools, copied)")}, "
            + $"{DiskSpace.Text(plan.InputBytes)} in, {DiskSpace.Text(plan.OutputBytes)} out in "
            + $"{plan.Layout.Files.Count} file{(plan.Layout.Files.Count == 1 ? "" : "s")}");
    }

    // With the adapters in it: two models of one base are two.
    private static string Text(Checkpoint model) => model.Key.Replace("+1*", "+", StringComparison.Ordinal);
}

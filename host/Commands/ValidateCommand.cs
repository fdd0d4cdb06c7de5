using System.CommandLine;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;

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
            using var catalog = PluginCatalog.Load(PluginFolders.Default(parsed.GetValue(plugins) ?? []));
            using var planner = new RecipePlanner(catalog, parsed.GetValue(modelDirs) ?? [])
            {
                OnMismatch = (parsed.GetValue(mismatch) ?? []).Aggregate(OnMismatch.Error, (all, one) => all | one),
            };
            var plan = planner.Plan(
                RecipeFile.Read(parsed.GetRequiredValue(recipe)), PlanRequest.DefaultMaxShardBytes);
            foreach (var warning in catalog.Warnings.Concat(plan.Warnings))
                terminal.Warn(warning);
            if (terminal.IsJson)
            {
                terminal.Json(json =>
                {
                    json.WriteString("method", plan.Strategy.Info.Id);
                    json.WriteNumber("models", plan.Models.Count);
                    json.WriteNumber("tensors", plan.Tensors.Count);
                    json.WriteNumber("bytes_in", plan.InputBytes);
                    json.WriteNumber("bytes_out", plan.OutputBytes);
                    json.WriteNumber("files_out", plan.Layout.Files.Count);
                });
                return 0;
            }
            terminal.Line($"{plan.Strategy.Info.Name} ({plan.Strategy.Info.Id}), plugin {plan.Plugin.Name} {plan.Plugin.Version}");
            foreach (var model in plan.Models)
                terminal.Line($"  model {model.Path}");
            if (plan.Base is { } baseModel)
                terminal.Line($"  base  {baseModel.Path}");
            var copied = plan.Tensors.Count(t => t.IsCopied);
            terminal.Line(
                $"{plan.Tensors.Count} tensors{(copied == 0 ? "" : $" ({copied} of integers or bools, copied)")}, "
                + $"{DiskSpace.Text(plan.InputBytes)} in, {DiskSpace.Text(plan.OutputBytes)} out in "
                + $"{plan.Layout.Files.Count} file{(plan.Layout.Files.Count == 1 ? "" : "s")}");
            terminal.Line("valid");
            return 0;
        });
        return command;
    }
}

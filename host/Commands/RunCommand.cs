using System.CommandLine;
using System.Diagnostics;
using Merge.Merging.LowRank;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge run RECIPE OUT</c>: the main job.</summary>
internal static class RunCommand
{
    public static Command Create(Terminal terminal)
    {
        var recipe = MergeOptions.Recipe();
        var output = new Argument<string?>("OUT")
        {
            Description = "The folder to make. Complete as soon as it has this name. Not needed for --dry-run.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Print the plan and write nothing: every parameter's values and the lines they come from, bytes, "
                + "passes, memory, time. With --json: tensor by tensor.",
        };
        var force = new Option<bool>("--force")
        {
            Description = "Replace OUT if an earlier merge made it; give up another merge's unfinished work on it.",
        };
        var sha256 = new Option<bool>("--sha256")
        {
            Description = "Give the inputs' SHA-256 in the manifest, too (CRC-32C of all that is read is there). Reads them once more.",
        };
        var keepStages = new Option<bool>("--keep-stages")
        {
            Description = "Keep what a recipe's named merges made, in OUT.stages.",
        };
        var (modelDirs, plugins, maxShard) = (MergeOptions.ModelDirs(), MergeOptions.Plugins(), MergeOptions.MaxShard());
        var mismatch = MergeOptions.Mismatch();
        var (threads, memory) = (MergeOptions.Threads(), MergeOptions.Memory());
        var (device, gpuMemory) = (DeviceOptions.Device(), DeviceOptions.Memory());
        var command = new Command("run", "Merge models as a recipe says, in one streaming pass.")
        {
            recipe, output, dryRun, force, keepStages, sha256, threads, memory, device, gpuMemory, modelDirs, plugins, maxShard,
            mismatch,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(recipe) is not { Tokens.Count: > 0 })
                result.AddError("RECIPE, what to merge, is missing");
            if (!result.GetValue(dryRun) && string.IsNullOrEmpty(result.GetValue(output)))
                result.AddError("OUT, the folder to make, is missing");
        });
        command.SetAction((parsed, cancellation) =>
        {
            var clock = Stopwatch.StartNew();
            using var catalog = PluginOptions.Load(parsed, terminal, plugins);
            RecipePlanner Planner(IReadOnlyDictionary<string, string> stages) =>
                new(catalog, parsed.GetValue(modelDirs) ?? [])
                {
                    Stages = stages,
                    OnMismatch = (parsed.GetValue(mismatch) ?? []).Aggregate(OnMismatch.Error, (all, one) => all | one),
                };
            var merges = RecipeFile.ReadStages(parsed.GetRequiredValue(recipe));
            using var gpu = DeviceOptions.Open(parsed.GetValue(device), parsed.GetValue(gpuMemory), terminal);
            var settings = MergeOptions.Settings(parsed.GetValue(threads), parsed.GetValue(memory))
                .On(gpu, parsed.GetValue(threads), parsed.GetValue(memory));
            foreach (var idle in merges.All.Select(m => m.IdleSections).OfType<Diagnostic>())
                terminal.Warn(idle);
            if (merges.Stages.Count > 0)
            {
                var run = new StagedRun
                {
                    Terminal = terminal,
                    Recipe = merges,
                    Planner = Planner,
                    MaxShardBytes = parsed.GetValue(maxShard) ?? PlanRequest.DefaultMaxShardBytes,
                    Settings = settings,
                    Force = parsed.GetValue(force),
                    Sha256 = parsed.GetValue(sha256),
                    KeepStages = parsed.GetValue(keepStages),
                };
                if (parsed.GetValue(dryRun))
                    run.PrintPlans();
                else
                    run.Execute(Path.TrimEndingDirectorySeparator(Path.GetFullPath(parsed.GetValue(output)!)), cancellation);
                return Task.FromResult(0);
            }
            using var planner = Planner(new Dictionary<string, string>());
            var plan = planner.Plan(
                merges.Final!,
                parsed.GetValue(maxShard) ?? PlanRequest.DefaultMaxShardBytes);
            AdapterChecks.Check(plan);
            foreach (var warning in plan.Warnings)
                terminal.Warn(warning);
            if (parsed.GetValue(dryRun))
            {
                PlanListing.Print(terminal, plan, PlanOutlook.Of(plan, settings), settings);
                return Task.FromResult(0);
            }
            new SingleRun
            {
                Terminal = terminal,
                Plan = plan,
                Settings = settings,
                Force = parsed.GetValue(force),
                Sha256 = parsed.GetValue(sha256),
                Clock = clock,
            }.Execute(parsed.GetValue(output)!, cancellation);
            return Task.FromResult(0);
        });
        return command;
    }
}

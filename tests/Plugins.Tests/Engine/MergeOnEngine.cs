using Merge.Compute;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Plugins.Tests.Engine;

/// <summary>Runs a strategy in the host: files, plan, streamed run, bytes.</summary>
internal sealed class MergeOnEngine(EngineSettings settings) : IMergeRunner
{
    public IReadOnlyDictionary<string, float[]> Merge(MergeStrategy strategy, object options, MergeInputs inputs) =>
        Bytes(strategy, options, inputs).ToDictionary(
            t => t.Key, t => Elements.Decode(settings.Written ?? settings.Stored, t.Value));

    /// <summary>The merged tensors as they would be written.</summary>
    public IReadOnlyDictionary<string, byte[]> Bytes(MergeStrategy strategy, object options, MergeInputs inputs)
    {
        using var folders = new CheckpointFolders();
        return Run(Plan(strategy, options, inputs, folders));
    }

    /// <summary>The plan of a merge whose checkpoints are written for it.</summary>
    public MergePlan Plan(MergeStrategy strategy, object options, MergeInputs inputs, CheckpointFolders folders)
    {
        PlannedModel[] models =
            [.. inputs.Models.Select((m, i) => folders.Add($"model{i}", m, settings.Stored))];
        var theta0 = inputs.Base is { } b ? folders.Add("base", b, settings.Stored) : null;
        var sides =
            from side in inputs.Sides
            from file in side.Value.Index()
            where file.Item is not null
            let name = $"{side.Key}{file.Index}"
            select new SideFile(side.Key, file.Index, $"model{file.Index}", null, name, folders.Add(name, file.Item, DType.F32).Checkpoint)
            {
                Shape = OptionsSchema.Of(strategy.OptionsType).Parameters.FirstOrDefault(p => p.SideInput?.Name == side.Key)?.SideInput!.Shape ?? default,
            };
        return MergePlanner.Plan(new PlanRequest
        {
            Strategy = strategy,
            Plugin = new("tests", "", ""),
            Origin = new("", [], null),
            Models = models,
            Base = theta0,
            Donor = theta0 ?? models[0],
            SideFiles = [.. sides],
            Options = _ => options,
            OutType = settings.Written,
            Seed = inputs.Seed,
        });
    }

    public IReadOnlyDictionary<string, byte[]> Run(MergePlan plan)
    {
        using var stop = new CancellationTokenSource();
        var sink = new MemorySink(plan);
        var context = new MergeContext
        {
            Plan = plan,
            Method = plan.Strategy.Info.Id,
            Seed = plan.Seed,
            Settings = settings.Run,
            Output = sink,
            Checksums = new Checksums(),
        };
        MergeRun.Execute(context, new HashSet<string>(), stop);
        return sink.Tensors;
    }
}

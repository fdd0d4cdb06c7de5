using Merge.Compute;
using Merge.Compute.Gpu;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Testing.Engine;

/// <summary>The host's own way: checkpoints in files, a plan, a streamed run.</summary>
/// <param name="device">What computes, tensors of any size; null: the processor.</param>
internal sealed class StreamedEngine(GpuDevice? device = null) : IMergeEngine
{
    private const long LittleMemory = 64 << 20;

    public IReadOnlyDictionary<string, float[]> Merge(
        MergeStrategy strategy, object options, TestModels models, EngineSettings settings)
    {
        using var folders = new CheckpointFolders();
        var plan = Plan(strategy, options, models, folders);
        var kept = new KeptTensors(plan);
        Run(plan, kept, new RunSettings
        {
            Threads = settings.Threads,
            BlockBytes = settings.BlockBytes ?? new RunSettings().BlockBytes,
        });
        return kept.Values;
    }

    public long Allocated(MergeStrategy strategy, object options, TestModels models)
    {
        using var folders = new CheckpointFolders();
        var plan = Plan(strategy, options, models, folders);
        var meter = new AllocationMeter();
        // The host uses what it is given: with little it holds little of its own.
        Run(plan, meter, new RunSettings { Threads = 1, Memory = LittleMemory, BlockBytes = 1 << 16 });
        return meter.Bytes;
    }

    private void Run(MergePlan plan, ITensorSink sink, RunSettings settings)
    {
        using var stop = new CancellationTokenSource();
        MergeRun.Execute(
            new MergeContext
            {
                Plan = plan,
                Method = plan.Strategy.Info.Id,
                Seed = plan.Seed,
                Settings = settings with { Device = device, SmallestOnDevice = 0 },
                Output = sink,
                Checksums = new Checksums(),
            },
            new HashSet<string>(),
            stop);
    }

    private static MergePlan Plan(MergeStrategy strategy, object options, TestModels models, CheckpointFolders folders)
    {
        PlannedModel[] planned = [.. models.Models.Select((m, i) => folders.Add($"model{i}", m))];
        var theta0 = models.Base is { } b ? folders.Add("base", b) : null;
        var sides =
            from side in models.Sides
            from file in side.Value.Index()
            where file.Item is not null
            let name = $"{side.Key}{file.Index}"
            select new SideFile(side.Key, file.Index, $"model{file.Index}", null, name, folders.Add(name, file.Item).Checkpoint)
            {
                Shape = OptionsSchema.Of(strategy.OptionsType).Parameters.FirstOrDefault(p => p.SideInput?.Name == side.Key)?.SideInput!.Shape ?? default,
            };
        return MergePlanner.Plan(new PlanRequest
        {
            Strategy = strategy,
            Plugin = new(strategy.GetType().Assembly.GetName().Name ?? "", "", ""),
            Origin = new("", [], null),
            Models = planned,
            Base = theta0,
            Donor = theta0 ?? planned[0],
            SideFiles = [.. sides],
            Options = _ => options,
            OutType = DType.F32,
            Seed = models.Seed,
        });
    }
}

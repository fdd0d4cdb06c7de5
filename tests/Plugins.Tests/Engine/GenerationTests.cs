using FsCheck;
using FsCheck.Fluent;
using Host.Tests.Compute.Gpu;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Merging;
using Merge.Planning;
using Merge.Plugin.RegMean;
using Merge.Sdk;
using Microsoft.FSharp.Core;
using Plugins.Tests.Golden;

namespace Plugins.Tests.Engine;

/// <summary>A generation merged in one pass gives every candidate the bytes of a merge of its own.</summary>
public sealed class GenerationTests
{
    private static readonly DType[] _dtypes = [DType.F32, DType.BF16, DType.F16, DType.F64];

    public static TheoryData<string> Methods() => [.. Workload.Methods];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Every_candidate_gets_the_bytes_of_a_merge_of_its_own(string method)
    {
        var (strategy, options, models, _) = Workload.Of(method);
        ForRandomSeeds(2, seed =>
        {
            var random = new OptionVariants((ulong)seed);
            var (stored, written) = (_dtypes[random.Below(4)], random.Below(2) == 0 ? (DType?)null : _dtypes[random.Below(4)]);
            using var folders = new CheckpointFolders();
            var single = new MergeOnEngine(new(stored, written, new RunSettings { Threads = 2 }));
            var plan = single.Plan(strategy, options, Workload.Inputs(method, stored), folders);
            var candidates = new List<object> { options };
            for (var more = random.Below(6); more > 0; more--)
                candidates.Add(random.Below(5) == 0 ? candidates[^1] : random.Of(options, models));
            Compare(plan, candidates, single, new RunSettings
            {
                Threads = 1 + random.Below(4),
                BlockBytes = new[] { 64, 5000, 100_003, 1 << 20 }[random.Below(4)],
                KeepInputs = random.Below(2) == 0,
            });
        });
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("ties")]
    [InlineData("dare_ties")]
    [InlineData("della")]
    public void So_it_does_where_there_are_many_and_a_tensor_has_segments(string method)
    {
        var (strategy, options, models, _) = Workload.Of(method);
        var random = new OptionVariants(7);
        using var folders = new CheckpointFolders();
        var single = new MergeOnEngine(new(DType.BF16, DType.F32, new RunSettings { Threads = 2 }));
        var plan = single.Plan(strategy, options, Workload.Inputs(method, DType.BF16, large: true), folders);
        object[] candidates = [.. Enumerable.Range(0, 9).Select(_ => random.Of(options, models))];
        Compare(plan, candidates, single, new RunSettings { Threads = 2 });
    }

    [OpenClTheory]
    [InlineData("linear")]
    [InlineData("lcsc")]
    [InlineData("ties")]
    [InlineData("dare_ties")]
    public void So_it_does_on_a_device(string method)
    {
        using var device = new GpuDevice(OpenClDevice.All()[0].Open());
        var (strategy, options, models, _) = Workload.Of(method);
        var random = new OptionVariants(7);
        using var folders = new CheckpointFolders();
        var single = new MergeOnEngine(new(DType.BF16, null, new RunSettings { Threads = 2 }));
        var plan = single.Plan(strategy, options, Workload.Inputs(method, DType.BF16), folders);
        object[] candidates = [options, .. Enumerable.Range(0, 4).Select(_ => random.Of(options, models))];
        foreach (var keepInputs in new[] { true, false })
        {
            Compare(plan, candidates, single, new RunSettings
            {
                Threads = 3,
                BlockBytes = 5000,
                KeepInputs = keepInputs,
                Device = device,
                SmallestOnDevice = 0,
            });
        }
    }

    [Theory]
    [InlineData("iso_c")]
    [InlineData("ties")]
    [InlineData("row_softmax")]
    [InlineData("curvature_graft")]
    public void Memory_for_one_candidate_suffices_for_many(string method)
    {
        var (strategy, options, models, _) = Workload.Of(method);
        var random = new OptionVariants(5);
        using var folders = new CheckpointFolders();
        var memory = 100_000L;
        MergeOnEngine Single() => new(new(
            DType.F32, null, new RunSettings { Threads = 1, BlockBytes = 1 << 14, Memory = memory, KeepInputs = false }));
        var plan = Single().Plan(strategy, options, Workload.Inputs(method, DType.F32), folders);
        object[] candidates = [options, .. Enumerable.Range(0, 7).Select(_ => random.Of(options, models))];
        foreach (var candidate in candidates)
        {
            while (LacksMemory(() => Single().Run(With(plan, candidate))))
                memory += memory / 2;
        }
        Compare(
            plan, candidates, new MergeOnEngine(EngineSettings.Of()),
            new RunSettings { Threads = 1, BlockBytes = 1 << 14, Memory = memory, KeepInputs = false });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void So_it_does_with_matrices_beside_the_tensors(bool keepInputs)
    {
        using var folders = new CheckpointFolders();
        var single = new MergeOnEngine(EngineSettings.Of());
        var plan = single.Plan(
            new RegMeanMerge(), new RegMeanOptions(), RegMeanGoldenTests.Inputs(new GoldenCase("regmean")), folders);
        object[] candidates = [.. new[] { 0.9, 0.5, 0.9, 0 }.Select(alpha => new RegMeanOptions { Alpha = alpha })];
        Compare(plan, candidates, single, new RunSettings { Threads = 2, BlockBytes = 5000, KeepInputs = keepInputs });
    }

    private static void Compare(MergePlan plan, IReadOnlyList<object> candidates, MergeOnEngine single, RunSettings settings)
    {
        using var generation = new GenerationMerge(plan, settings);
        // Twice: what is kept from one generation to the next must not show.
        for (var round = 0; round < 2; round++)
        {
            var sinks = candidates.Select(_ => new MemorySink(plan)).ToArray();
            var merged = generation.Run(
                [.. candidates.Zip(sinks).Select(c => new GenerationMember(_ => c.First, c.Second))], default);
            foreach (var (k, options) in candidates.Index())
                CompareOne(plan, options, single, merged[k], sinks[k], $"candidate {k} of {candidates.Count}, {settings}");
        }
    }

    private static void CompareOne(
        MergePlan plan, object options, MergeOnEngine single, MergedMember merged, MemorySink sink, string which)
    {
        IReadOnlyDictionary<string, byte[]> expected;
        try
        {
            expected = single.Run(With(plan, options));
        }
        catch (MergeException refused)
        {
            Assert.Equal(refused.Diagnostics[0].Found, Assert.IsType<MergeException>(merged.Fault).Diagnostics[0].Found);
            return;
        }
        Assert.Null(merged.Fault);
        foreach (var (name, bytes) in expected)
            Assert.True(bytes.AsSpan().SequenceEqual(sink.Tensors[name]), $"{name}: {which}: {options}");
    }

    private static MergePlan With(MergePlan plan, object options) => plan with
    {
        Tensors = [.. plan.Tensors.Select(t => t with { Options = t.IsCopied ? null : options })],
    };

    private static bool LacksMemory(Action run)
    {
        try
        {
            run();
            return false;
        }
        catch (MergeException refused)
        {
            return refused.Diagnostics[0].Fix?.StartsWith("Raise --memory", StringComparison.Ordinal) == true;
        }
    }

    private static void ForRandomSeeds(int count, Action<int> holds)
    {
        var replay = new Replay(new Rnd(2026, 1), null);
        var config = Config.QuickThrowOnFailure.WithMaxTest(count).WithReplay(new FSharpOption<Replay>(replay));
        Check.One(config, Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), holds));
    }
}

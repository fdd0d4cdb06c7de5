using System.Runtime.InteropServices;
using Host.Tests.Planning;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class GenerationMergeTests : IDisposable
{
    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Inputs_are_checksummed_once_and_read_again_only_where_they_do_not_stay_in_memory(bool keep)
    {
        var (plan, files) = Combining(Of("w", 1, 2, 3), Of("v", 4, 5));
        using var generation = new GenerationMerge(plan, new RunSettings { KeepInputs = keep });
        Assert.Equal(keep ? 256 : 0, generation.ResidentBytes);
        for (var round = 1; round <= 3; round++)
        {
            var merged = Run(generation, plan, t => TensorMerge.Combine([0.5, round]), t => TensorMerge.Combine([1, 1]));
            Assert.Equal([0.5f + round, 1 + (2 * round), 1.5f + (3 * round)], merged[0].Floats("w"));
            Assert.Equal([8, 10], merged[1].Floats("v"));
            Assert.Equal(40 * (keep ? 1 : round), generation.Progress.BytesRead);
            foreach (var file in files)
                Assert.Equal(Crc32C.Append(0, File.ReadAllBytes(file.Path)), generation.Checksums.Of(file));
        }
    }

    [Fact]
    public void Tensors_that_are_copied_or_empty_reach_every_candidate()
    {
        var (plan, _) = Combining(Of("w", 1, 2), Shaped("ids", DType.I64, 3), Shaped("none", DType.F32, 0, 4));
        using var generation = new GenerationMerge(plan, Runs.TwoThreads);
        foreach (var member in Run(generation, plan, _ => TensorMerge.Copy(0), _ => TensorMerge.Combine([1, 1])))
        {
            Assert.Equal(Shaped("ids", DType.I64, 3).Bytes, member.Sink.Bytes["ids"]);
            Assert.Equal(["ids", "none", "w"], member.Sink.Finished.Order());
        }
    }

    [Fact]
    public void What_fails_one_candidate_leaves_the_others_alone()
    {
        var (plan, _) = Combining(Of("w", 1, 2));
        using var generation = new GenerationMerge(plan, Runs.TwoThreads);
        var merged = Run(
            generation,
            plan,
            _ => TensorMerge.Combine([1, 1]),
            _ => throw new InvalidCastException("oh"),
            _ => TensorMerge.Combine([1]),
            _ => null!,
            _ => TensorMerge.From(x => x.Map([x.Models[0]], (_, _) => throw new InvalidCastException("in a loop"))),
            _ => TensorMerge.From(x => x.Models[0] * 2));
        Assert.Equal([2, 4], merged[0].Floats("w"));
        Assert.Equal("chosen threw InvalidCastException: oh", Reason(merged[1]));
        Assert.Equal("the strategy combines with 1 weights", Reason(merged[2]));
        Assert.Equal("chosen returned null from Plan", Reason(merged[3]));
        Assert.Equal("chosen threw InvalidCastException: in a loop", Reason(merged[4]));
        Assert.Equal([2, 4], merged[5].Floats("w"));
        Assert.All(merged[1..5], m => Assert.Empty(m.Sink.Finished));
    }

    [Fact]
    public void A_candidate_that_awaits_what_is_no_statistic_is_refused_alone()
    {
        var (plan, _) = Combining(Of("w", 1, 2));
        using var generation = new GenerationMerge(plan, Runs.TwoThreads);
        var never = new TaskCompletionSource();
        var merged = Run(
            generation,
            plan,
            new ChosenOptions(async t => TensorMerge.Combine([await t.Sum(x => x.Models[0]), 1])),
            new ChosenOptions(async t =>
            {
                await never.Task;
                return TensorMerge.Copy(0);
            }));
        Assert.Equal([4, 8], merged[0].Floats("w"));
        Assert.Equal("chosen awaits something that is no statistic of this scan", Reason(merged[1]));
    }

    [Fact]
    public void An_output_that_cannot_be_written_stops_its_candidate_alone()
    {
        var (plan, _) = Combining(Of("w", 1, 2));
        using var generation = new GenerationMerge(plan, Runs.TwoThreads);
        var options = new ChosenOptions(_ => ValueTask.FromResult(TensorMerge.Combine([1, 1])));
        var sink = new CollectingSink(plan);
        var merged = generation.Run(
            [new(_ => options, new FullDisk()), new(_ => options, sink), new(_ => options, new FullDisk())], default);
        Assert.IsType<IOException>(merged[0].Fault);
        Assert.Null(merged[1].Fault);
        Assert.Equal([2, 4], MemoryMarshal.Cast<byte, float>(sink.Bytes["w"]).ToArray());
        Assert.Equal(["w"], sink.Finished);
        Assert.IsType<IOException>(merged[2].Fault);
    }

    [Fact]
    public void Equal_options_are_planned_once_and_equal_statistics_swept_once()
    {
        var (plan, _) = Combining(Of("w", 1, 2, 3));
        using var generation = new GenerationMerge(plan, new RunSettings { KeepInputs = false });
        var asked = 0;
        Func<TensorScan, ValueTask<TensorMerge>> choose = async t =>
        {
            Interlocked.Increment(ref asked);
            var gram = await t.Gram(x => x.Models);
            gram[0, 0]++;
            return TensorMerge.Combine([gram[0, 0], 0]);
        };
        var merged = Run(
            generation, plan, new ChosenOptions(choose), new ChosenOptions(choose), new ChosenOptions(t => choose(t)));
        Assert.Equal(2, asked);
        Assert.Equal([15, 30, 45], merged[0].Floats("w"));
        Assert.Equal([15, 30, 45], merged[1].Floats("w"));
        Assert.Equal([15, 30, 45], merged[2].Floats("w"));
        Assert.Equal(2 * 12 + 12, generation.Progress.BytesRead);
    }

    [Fact]
    public void A_value_that_is_not_finite_is_found_of_its_candidate()
    {
        var (plan, _) = Combining(Of("w", 1, 2e38f));
        using var generation = new GenerationMerge(plan, Runs.TwoThreads);
        var merged = Run(
            generation,
            plan,
            _ => TensorMerge.Combine([0.5, 0.5]),
            _ => TensorMerge.Combine([2, 1]),
            _ => TensorMerge.From(x => x.Models[0] / (x.Models[1] - x.Models[1])),
            _ => TensorMerge.From(x => x.Models[0] - x.Models[1]));
        Assert.Equal([false, true, true, false], merged.Select(m => m.Result.Findings.Count == 1));
        Assert.All(merged.SelectMany(m => m.Result.Findings), f => Assert.Equal("w", f.Where));
    }

    [Fact]
    public void Inputs_that_change_between_generations_are_noticed()
    {
        var (plan, files) = Combining(Of("w", 1, 2));
        using var generation = new GenerationMerge(plan, Runs.TwoThreads);
        Run(generation, plan, _ => TensorMerge.Combine([1, 1]));
        File.SetLastWriteTimeUtc(files[1].Path, DateTime.UnixEpoch);
        var changed = Assert.Throws<MergeException>(() => Run(generation, plan, _ => TensorMerge.Combine([1, 1])));
        Assert.Equal(files[1].Path, Assert.Single(changed.Diagnostics).Where);
    }

    [Fact]
    public void A_truncated_input_is_the_reason_that_comes_out_whether_it_would_stay_in_memory_or_not()
    {
        var (plan, files) = Combining(Of("w", 1, 2));
        File.WriteAllBytes(files[0].Path, File.ReadAllBytes(files[0].Path)[..^4]);
        File.SetLastWriteTimeUtc(files[0].Path, files[0].LastWrite);
        foreach (var keep in new[] { true, false })
        {
            using var generation = new GenerationMerge(plan, new RunSettings { KeepInputs = keep });
            var stopped = Assert.Throws<MergeException>(() => Run(generation, plan, _ => TensorMerge.Combine([1, 1])));
            Assert.Equal("the file was truncated while reading", stopped.Diagnostics[0].Found);
        }
    }

    [Fact]
    public void Cancelled_before_the_start_nothing_is_merged()
    {
        var (plan, _) = Combining(Of("w", 1, 2));
        using var generation = new GenerationMerge(plan, Runs.TwoThreads);
        var sink = new CollectingSink(plan);
        var options = new ChosenOptions(_ => ValueTask.FromResult(TensorMerge.Copy(0)));
        Assert.ThrowsAny<OperationCanceledException>(
            () => generation.Run([new(_ => options, sink)], new CancellationToken(true)));
        Assert.Empty(sink.Finished);
    }

    [Fact]
    public void No_candidates_are_nothing_to_do()
    {
        var (plan, _) = Combining(Of("w", 1, 2));
        using var generation = new GenerationMerge(plan, Runs.TwoThreads);
        Assert.Empty(generation.Run([], default));
    }

    private (MergePlan Plan, CheckpointFile[] Files) Combining(params TestTensor[] tensors)
    {
        PlannedModel[] models = [_models.Add("a", tensors), _models.Add("b", tensors)];
        var plan = Runs.Plan(new Chosen(), null, models);
        return (plan, [.. plan.InputFiles.Select(f => f.File)]);
    }

    private static string Reason(Member member) =>
        Assert.Single(Assert.IsType<MergeException>(member.Result.Fault).Diagnostics).Found;

    private static Member[] Run(GenerationMerge generation, MergePlan plan, params Func<TensorScan, TensorMerge>[] plans) =>
        Run(generation, plan, [.. plans.Select(p => new ChosenOptions(t => ValueTask.FromResult(p(t))))]);

    private static Member[] Run(GenerationMerge generation, MergePlan plan, params ChosenOptions[] options)
    {
        var sinks = options.Select(_ => new CollectingSink(plan)).ToArray();
        var merged = generation.Run(
            [.. options.Zip(sinks).Select(o => new GenerationMember(_ => o.First, o.Second))], default);
        return [.. sinks.Zip(merged).Select(m => new Member(m.First, m.Second))];
    }

    private sealed record Member(CollectingSink Sink, MergedMember Result)
    {
        public float[] Floats(string tensor) => MemoryMarshal.Cast<byte, float>(Sink.Bytes[tensor]).ToArray();
    }

    private sealed record ChosenOptions(Func<TensorScan, ValueTask<TensorMerge>> Plan)
    {
        public ChosenOptions()
            : this(_ => ValueTask.FromResult(TensorMerge.Copy(0)))
        {
        }
    }

    private sealed class Chosen : MergeStrategy<ChosenOptions>
    {
        public override StrategyInfo Info => new("chosen", "Chosen by the options", "a paper", Formula: "x");

        protected override ValueTask<TensorMerge> Plan(TensorScan tensor, ChosenOptions options) => options.Plan(tensor);
    }

    private sealed class FullDisk : ITensorSink
    {
        public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes) => throw new IOException("no space left");

        public void Finish(TensorPlan tensor, uint checksum) => Assert.Fail("finished without its bytes");
    }
}

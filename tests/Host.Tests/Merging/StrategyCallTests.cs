using Host.Tests.Planning;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class StrategyCallTests : IDisposable
{
    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public void What_a_strategy_throws_at_once_is_its_authors_fault()
    {
        var problem = Stopped(new OneLine(TensorMerge (_) => throw new InvalidCastException("oh")));
        Assert.Equal("one-line threw InvalidCastException: oh", problem.Found);
    }

    [Fact]
    public void What_it_throws_after_an_await_is_too() => Assert.Equal(
        "one-line threw InvalidCastException: oh",
        Stopped(new OneLine(async t =>
        {
            await t.Sum(x => x.Models[0]);
            throw new InvalidCastException("oh");
        })).Found);

    [Fact]
    public void What_its_expression_throws_is_too() => Assert.Equal(
        "one-line threw InvalidCastException: oh",
        Stopped(new OneLine(_ => TensorMerge.From(_ => throw new InvalidCastException("oh")))).Found);

    [Fact]
    public void What_its_own_loop_throws_is_too() => Assert.Equal(
        "one-line threw InvalidCastException: oh",
        Stopped(new OneLine(_ => TensorMerge.From(
            x => x.Map([x.Models[0]], (_, _) => throw new InvalidCastException("oh"))))).Found);

    [Fact]
    public void The_message_of_what_was_thrown_comes_as_one_line_without_a_full_stop() => Assert.Equal(
        "one-line threw InvalidCastException: too small. Actual value was 1",
        Stopped(new OneLine(TensorMerge (_) => throw new InvalidCastException("too small.\n  Actual value was 1."))).Found);

    [Fact]
    public void What_the_sdk_refuses_after_an_await_keeps_the_stack_of_the_plugin()
    {
        var plan = Runs.Plan(
            new OneLine(async t =>
            {
                await t.Sum(x => x.Models[0]);
                return TensorMerge.Combine([t.LinearAlgebra.Multiply(new(1, 2), new(1, 1))[0, 0]]);
            }),
            null,
            Model());
        Assert.Contains(nameof(StrategyCallTests), Assert.Throws<MergeException>(() => Runs.Of(plan)).StackTrace);
    }

    [Fact]
    public void A_cancelled_task_is_its_authors_fault() => Assert.Contains(
        "one-line threw OperationCanceledException",
        Stopped(new OneLine(_ => ValueTask.FromCanceled<TensorMerge>(new CancellationToken(true)))).Found);

    [Fact]
    public void A_merge_exception_comes_out_as_it_is()
    {
        var found = new MergeException(new Diagnostic("the weights cancel") { Where = "w" }) { WrongUsage = true };
        var thrown = Assert.Throws<MergeException>(() => Runs.Of(
            Runs.Plan(new OneLine(TensorMerge (_) => throw found), null, Model())));
        Assert.Same(found, thrown);
    }

    [Fact]
    public void Null_instead_of_a_merge_is_refused() =>
        Assert.Equal("one-line returned null from Plan", Stopped(new OneLine(TensorMerge (_) => null!)).Found);

    [Fact]
    public void Null_instead_of_an_expression_is_refused() =>
        Assert.StartsWith("one-line ", Stopped(new OneLine(_ => TensorMerge.From(_ => null!))).Found);

    [Fact]
    public void Awaiting_what_is_no_statistic_is_refused()
    {
        var never = new TaskCompletionSource();
        var problem = Stopped(new OneLine(async _ =>
        {
            await never.Task;
            return TensorMerge.Copy(0);
        }));
        Assert.Equal("one-line awaits something that is no statistic of this scan", problem.Found);
    }

    [Fact]
    public void Awaiting_what_is_no_statistic_after_one_that_is_is_refused()
    {
        var never = new TaskCompletionSource();
        Assert.Contains("awaits something", Stopped(new OneLine(async t =>
        {
            await t.Sum(x => x.Models[0]);
            await never.Task;
            return TensorMerge.Copy(0);
        })).Found);
    }

    [Fact]
    public void Awaiting_what_is_done_already_is_allowed()
    {
        var run = Runs.Of(Runs.Plan(
            new OneLine(async t =>
            {
                await Task.CompletedTask;
                var none = await t.EachModel(_ => Stat.All(Array.Empty<Stat<double>>()));
                return TensorMerge.Combine([none[0].Length + 2.0]);
            }),
            null,
            Model()));
        Assert.Equal([2, 4, 6], run.Floats("w"));
    }

    [Fact]
    public void Statistics_that_nobody_awaits_do_no_harm() => Assert.Equal(
        [1, 2, 3],
        Runs.Of(Runs.Plan(
            new OneLine(t =>
            {
                t.Sum(x => x.Models[0]);
                return TensorMerge.Copy(0);
            }),
            null,
            Model())).Floats("w"));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void Tensors_that_hold_much_memory_take_turns_and_never_block_each_other(int threads)
    {
        var models = Enumerable.Range(0, 12).Select(i => Shaped($"w{i:D2}", DType.F32, 256, 256)).ToArray();
        var (now, most) = (0, 0);
        // 512 KiB each, and what it takes to decompose one: more than half of the budget, whatever the number of threads.
        var plan = Runs.Plan(
            new OneLine(async t =>
            {
                await t.Sum(x => x.Models[0]);
                var matrix = await t.Materialize(x => x.Models[0]);
                var here = Interlocked.Increment(ref now);
                InterlockedMax(ref most, here);
                var again = await t.Materialize(x => x.Models[0] * 2f);
                await t.Sum(x => x.View(again));
                Interlocked.Decrement(ref now);
                return TensorMerge.From(x => x.View(matrix) + x.View(again));
            }),
            null,
            _models.Add("a", models));
        var run = Runs.Of(plan, new RunSettings { Threads = threads, BlockBytes = 4096, Memory = 8_000_000 });
        Assert.Equal(12, run.Sink.Finished.Count);
        Assert.Equal(1, most);
    }

    [Fact]
    public void A_survey_that_throws_or_awaits_something_else_is_its_authors_fault()
    {
        var never = new TaskCompletionSource<int>();
        Assert.Equal(
            "one-survey threw InvalidCastException: oh",
            Stopped(new OneSurvey(_ => throw new InvalidCastException("oh"))).Found);
        Assert.Contains("awaits something", Stopped(new OneSurvey(async _ => await never.Task)).Found);
    }

    [Fact]
    public void A_survey_may_mix_statistics_of_tensors_and_of_the_model()
    {
        var a = _models.Add("a", Of("v", 4, 1), Of("w", 3, 2, 5), Of("empty"), Shaped("n", DType.I32, 3));
        var run = Runs.Of(Runs.Plan(
            new OneSurvey(async m =>
            {
                var cut = m.Largest(_ => x => x.Models[0], 2);
                var sum = m.Tensors[0].Scan.Sum(x => x.Models[0]);
                Assert.Equal(["v", "w"], m.Tensors.Select(t => t.Scan.Info.Name));
                return (int)(await cut).Value * 100 + (int)await sum;
            }),
            null,
            a));
        Assert.Equal([405, 405], run.Floats("v"));
    }

    [Fact]
    public void Nothing_is_surveyed_where_every_tensor_is_empty_or_copied()
    {
        var a = _models.Add("a", Of("empty"), Shaped("n", DType.I32, 3));
        var run = Runs.Of(Runs.Plan(new OneSurvey(_ => throw new InvalidCastException()), null, a));
        Assert.Equal(["empty", "n"], run.Sink.Finished.Order());
    }

    private Diagnostic Stopped(MergeStrategy strategy)
    {
        var problem = Runs.Stopped(Runs.Plan(strategy, null, Model()));
        Assert.Equal(Actor.PluginAuthor, problem.Actor);
        Assert.NotNull(problem.Where);
        return problem;
    }

    private PlannedModel Model() => new("a", Open());

    private Checkpoint Open()
    {
        if (!Directory.Exists(_models["a"]))
            _models.Write("a", null, Of("w", 1, 2, 3));
        return _models.Open("a");
    }

    private static void InterlockedMax(ref int most, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref most)) < value)
            Interlocked.CompareExchange(ref most, value, seen);
    }

    private sealed class OneSurvey(Func<ModelScan<NoOptions>, ValueTask<int>> survey) : MergeStrategy<NoOptions, Boxed>
    {
        public override StrategyInfo Info => new("one-survey", "One survey");

        protected override async ValueTask<Boxed> Survey(ModelScan<NoOptions> model) => new(await survey(model));

        protected override ValueTask<TensorMerge> Plan(TensorScan tensor, NoOptions options, Boxed survey) =>
            ValueTask.FromResult(TensorMerge.From(x => (x.Models[0] * 0f) + (float)survey.Value));
    }

    private sealed record Boxed(int Value);
}

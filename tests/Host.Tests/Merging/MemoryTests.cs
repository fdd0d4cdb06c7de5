using System.Text.RegularExpressions;
using Host.Tests.Planning;
using Merge.Merging;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class MemoryTests : IDisposable
{
    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public void A_row_that_does_not_fit_is_refused_and_what_the_message_asks_for_suffices()
    {
        var a = _models.Add("a", Shaped("w", DType.F32, 2, 300_000));
        var plan = Runs.Plan(new OneLine(_ => TensorMerge.From(x => x.Models[0] - x.Models[0].MaxAlong())), null, a);
        var settings = new RunSettings { Threads = 2, Memory = 1_000_000 };
        var problem = Runs.Stopped(plan, settings);
        Assert.Equal((Actor.User, "w", "at most 1 MB"), (problem.Actor, problem.Where, problem.Expected));
        Assert.Contains("one-line works on 300000 elements of this tensor at once", problem.Found);
        Assert.Contains("with 2 threads", problem.Found);
        Assert.Single(Runs.Of(plan, settings with { Memory = AskedFor(problem) }).Sink.Finished);
    }

    [Fact]
    public void A_sweep_over_rows_that_do_not_fit_is_refused_and_what_the_message_asks_for_suffices()
    {
        var a = _models.Add("a", Shaped("w", DType.F32, 2, 300_000));
        var plan = Runs.Plan(
            new OneLine(async t => TensorMerge.Combine([await t.Sum(x => x.Models[0].RankAlong())])), null, a);
        var settings = new RunSettings { Threads = 2, Memory = 1_000_000 };
        var problem = Runs.Stopped(plan, settings);
        Assert.Contains("one-line looks at 300000 elements of this tensor at once", problem.Found);
        Assert.Single(Runs.Of(plan, settings with { Memory = AskedFor(problem) }).Sink.Finished);
    }

    [Fact]
    public void A_matrix_beyond_the_budget_is_refused_and_what_the_message_asks_for_suffices()
    {
        var a = _models.Add("a", Shaped("w", DType.F32, 300, 1000));
        var plan = Runs.Plan(
            new OneLine(async t =>
            {
                var matrix = await t.Materialize(x => x.Models[0]);
                return TensorMerge.From(x => x.View(matrix));
            }),
            null,
            a);
        var settings = new RunSettings { Threads = 1, Memory = 1_000_000 };
        var problem = Runs.Stopped(plan, settings);
        Assert.Contains("one-line decomposes a matrix of 300×1000, which takes ", problem.Found);
        Assert.Single(Runs.Of(plan, settings with { Memory = AskedFor(problem) }).Sink.Finished);
    }

    private static long AskedFor(Diagnostic problem)
    {
        var fix = Regex.Match(problem.Fix!, @"^Raise --memory to (\d+)MB, or lower --threads\.$");
        return long.Parse(fix.Groups[1].Value) * 1_000_000;
    }
}

using System.Text.RegularExpressions;
using Host.Tests.Planning;
using Merge.Compute;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class MatrixWorkTests : IDisposable
{
    private const int Rows = 60;
    private const int Columns = 200;
    private const long Matrix = sizeof(double) * Rows * Columns;

    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_decomposition_beyond_the_budget_is_refused_at_planning_and_what_the_message_asks_for_suffices(bool afterACut)
    {
        var plan = Plan(async t =>
        {
            if (afterACut)
                await t.Largest(x => x.Models[0], 100);
            var svd = t.LinearAlgebra.Svd(await t.Materialize(x => x.Models[0]));
            return TensorMerge.LowRank(svd.U.ScaleColumns(svd.Sigma), svd.Vt);
        });
        var little = new RunSettings { Threads = 1, BlockBytes = 4096, Memory = 4 * Matrix };
        var problem = Assert.Single(Assert.Throws<MergeException>(() => MatrixRoom.Fit(plan, little)).Diagnostics);
        Assert.StartsWith($"one-line decomposes a matrix of {Rows}×{Columns}, which takes ", problem.Found);
        Assert.Equal("a", problem.Where);
        var enough = little with { Memory = long.Parse(Regex.Match(problem.Fix!, @"--memory to (\d+)MB").Groups[1].Value) * 1_000_000 };
        Assert.Same(enough, MatrixRoom.Fit(plan, enough));
        // Where nobody asked for just so much, it is taken.
        Assert.InRange(MatrixRoom.Fit(plan, little with { MayGrow = true }).Memory, little.Memory + 1, enough.Memory);
        // A cut takes its own.
        Assert.Equal(2, Runs.Of(plan, enough with { Memory = enough.Memory + (afterACut ? 20_000_000 : 0) }).Sink.Finished.Count);
    }

    [Fact]
    public void What_decomposes_nothing_is_not_refused_at_planning()
    {
        var plan = Plan(async t => TensorMerge.Combine([await t.Sum(x => x.Models[0])]));
        var settings = new RunSettings { Threads = 1, Memory = 1, MayGrow = true };
        Assert.Same(settings, MatrixRoom.Fit(plan, settings));
    }

    [Fact]
    public void Decompositions_that_do_not_fit_together_take_turns()
    {
        using var both = new Barrier(2);
        var met = 0;
        var plan = Plan(async t =>
        {
            var matrix = await t.Materialize(x => x.Models[0]);
            if (both.SignalAndWait(500))
                Interlocked.Increment(ref met);
            return TensorMerge.From(x => x.View(matrix));
        });
        var needs = MatrixWork.Known(plan, plan.Tensors[0], null, LinearAlgebraChoice.OfProcess).Work;
        Runs.Of(plan, new RunSettings { Threads = 2, BlockBytes = 4096, Memory = needs * 3 / 2 });
        Assert.Equal(0, met);
    }

    [Fact]
    public void Few_directions_are_counted_with_their_decomposition_and_wide_products_with_theirs()
    {
        var tensor = Plan(_ => ValueTask.FromResult(TensorMerge.Copy(0))).Tensors[0];
        Assert.InRange(Of(t => t.Product(x => x.Models[0], new(Columns, 4))), 7 * 8 * 4 * (Rows + Columns), 9 * 8 * 4 * (Rows + Columns));
        Assert.InRange(Of(t => t.Product(x => x.Models[0], new(Columns, Columns))), 2 * 8 * Columns * Columns, 8 * 8 * Columns * Columns);
        Assert.Equal(0, Of(t => t.Gram(x => [x.Models[0]])));

        long Of<T>(Func<TensorScan, Stat<T>> ask)
        {
            var scan = new TensorScan(tensor.Info, 1, false, (_, _) => false, LinearAlgebraChoice.OfProcess);
            ask(scan);
            return MatrixWork.Of(tensor, scan.Pending, LinearAlgebraChoice.OfProcess).Work;
        }
    }

    private MergePlan Plan(Func<TensorScan, ValueTask<TensorMerge>> plan) => Runs.Plan(
        new OneLine(plan), null, _models.Add("m", Shaped("a", DType.F32, Rows, Columns), Shaped("b", DType.F32, Rows, Columns)));
}

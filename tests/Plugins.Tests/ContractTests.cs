using Merge.Sdk;
using Plugins.Tests.Arrays;

namespace Plugins.Tests;

/// <summary>What no method above uses of the contract, by strategies of one line.</summary>
public abstract class ContractTests
{
    private static readonly ArrayTensor _theta0 = new([2, 3], [1, 2, 3, 4, 5, 6]);
    private static readonly ArrayTensor _theta1 = new([2, 3], [2, -2, 3, 0.5f, 5, 9]);

    private protected abstract IMergeRunner Runner { get; }

    [Fact]
    public void A_copy_is_the_model_or_the_base()
    {
        Assert.Equal(_theta1.Values, Merge(_ => TensorMerge.Copy(0)));
        Assert.Equal(_theta0.Values, Merge(_ => TensorMerge.CopyBase()));
    }

    [Fact]
    public void A_low_rank_product_is_added_to_the_base() => Assert.Equal(
        [11, 22, 33, 24, 45, 66],
        Merge(_ => TensorMerge.LowRank(new Matrix(2, 1, [10, 20]), new Matrix(1, 3, [1, 2, 3]))));

    [Fact]
    public void An_authors_loop_sees_every_element_once() => Assert.Equal(
        [3, 0, 6, 4.5f, 10, 15],
        Merge(_ => TensorMerge.From(b => b.Map([b.Base, b.Models[0]], (inputs, output) =>
        {
            for (var e = 0; e < output.Length; e++)
                output[e] = inputs[0][e] + inputs[1][e];
        }))));

    [Fact]
    public void Row_and_column_vectors_repeat() => Assert.Equal(
        [11, 12, 13, 21, 22, 23], Merge(_ => TensorMerge.From(b => b.Rows([10, 20]) + b.Columns([1, 2, 3]))));

    [Fact]
    public void Operations_along_an_axis_repeat_their_result()
    {
        Assert.Equal([6, 6, 6, 15, 15, 15], Merge(_ => TensorMerge.From(b => b.Base.SumAlong())));
        Assert.Equal([5, 7, 9, 5, 7, 9], Merge(_ => TensorMerge.From(b => b.Base.SumAlong(0))));
        Assert.Equal([3, 3, 3, 9, 9, 9], Merge(_ => TensorMerge.From(b => b.Models[0].MaxAlong())));
        Assert.Equal([4, 21, 63, 4, 21, 63], Merge(_ => TensorMerge.From(b => b.Base.DotAlong(b.Models[0], 0))));
        Assert.Equal([1, 0, 2, 0, 1, 2], Merge(_ => TensorMerge.From(b => b.Models[0].RankAlong())));
    }

    [Fact]
    public void Statistics_are_those_of_the_whole_tensor() => Merge(async tensor =>
    {
        var sum = tensor.Sum(b => b.Base);
        var dot = tensor.Dot(b => b.Base, b => b.Models[0]);
        var count = tensor.Count(b => b.Models[0] > b.Base);
        var range = tensor.Range(b => b.Models[0]);
        var order = tensor.OrderStatistics(b => b.Models[0], 0, 5, 2);
        var rows = tensor.RowSums(b => b.Base);
        var columns = tensor.ColumnSums(b => b.Base);
        Assert.Equal(21, await sum);
        Assert.Equal(88, await dot);
        Assert.Equal(2, await count);
        Assert.Equal(new ValueRange(-2, 9), await range);
        Assert.Equal(new float[] { -2, 9, 2 }, await order);
        Assert.Equal(new double[] { 6, 15 }, await rows);
        Assert.Equal(new double[] { 5, 7, 9 }, await columns);
        return TensorMerge.CopyBase();
    });

    [Fact]
    public void A_later_statistic_may_depend_on_an_earlier_one() => Merge(async tensor =>
    {
        var mean = await tensor.Sum(b => b.Base) / tensor.Info.Count;
        var squares = await tensor.Dot(b => b.Base - mean, b => b.Base - mean);
        Assert.Equal(17.5, squares);
        return TensorMerge.CopyBase();
    });

    [Fact]
    public void Exactly_as_many_are_kept_as_asked_however_many_tie()
    {
        for (var keep = 0; keep <= 7; keep++)
        {
            var merged = Runner.MergeOne(
                new OneLine(async tensor =>
                {
                    var cut = await tensor.Largest(b => b.Base, keep);
                    return TensorMerge.From(b => b.Base.KeptBy(cut).AsNumber());
                }),
                new NoOptions(),
                ArrayTensor.Of(2, float.NaN, 2, -0f, 0, 2),
                ArrayTensor.Of(0, 0, 0, 0, 0, 0));
            int[] order = [1, 0, 2, 5, 3, 4];
            Assert.Equal(
                order.Take(keep).Order(), Enumerable.Range(0, merged.Length).Where(e => merged[e] == 1));
        }
    }

    private protected float[] Merge(Func<TensorScan, TensorMerge> plan) =>
        Merge(tensor => ValueTask.FromResult(plan(tensor)));

    private protected float[] Merge(Func<TensorScan, ValueTask<TensorMerge>> plan) =>
        Runner.MergeOne(new OneLine(plan), new NoOptions(), _theta0, _theta1);

    private protected sealed record NoOptions;

    private protected sealed class OneLine(Func<TensorScan, ValueTask<TensorMerge>> plan) : MergeStrategy<NoOptions>
    {
        public override StrategyInfo Info => new("one-line", "One line");

        protected override ValueTask<TensorMerge> Plan(TensorScan tensor, NoOptions options) => plan(tensor);
    }
}

public sealed class ContractTestsOnArrays : ContractTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();

    [Fact]
    public void Awaiting_anything_but_a_statistic_is_refused()
    {
        var never = new TaskCompletionSource();
        Assert.Throws<InvalidOperationException>(() => Merge(async _ =>
        {
            await never.Task;
            return TensorMerge.CopyBase();
        }));
    }
}

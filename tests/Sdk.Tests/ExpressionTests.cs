using Merge.Sdk;

namespace Sdk.Tests;

public sealed class ExpressionTests
{
    [Fact]
    public void Values_of_two_tensors_do_not_mix()
    {
        var (first, second) = (Scans.Of([4]), Scans.Of([4]));
        TensorExpr? escaped = null;
        first.Record(b => escaped = b.Base);
        var error = Assert.Throws<MergeException>(() => second.Sum(b => b.Base + escaped!));
        Assert.Equal(Actor.PluginAuthor, Assert.Single(error.Diagnostics).Actor);
    }

    [Fact]
    public void Constants_fit_everywhere()
    {
        var node = Scans.Of([4]).Record(b => (2f * b.Base) + 1.0);
        Assert.Equal(Op.Add, node.Op);
        Assert.Equal(1f, node.Args[1].Value);
        Assert.NotNull(node.Scope);
    }

    [Theory]
    [InlineData(3, -1, 2)]
    [InlineData(3, -3, 0)]
    [InlineData(3, 1, 1)]
    [InlineData(0, 0, 0)]
    [InlineData(0, -1, 0)]
    public void An_axis_counts_from_either_end(int rank, int axis, int expected) =>
        Assert.Equal(expected, Scans.Of([.. Enumerable.Repeat(2L, rank)]).Record(b => b.Base.SumAlong(axis)).Axis);

    [Theory]
    [InlineData(2, 2)]
    [InlineData(2, -3)]
    [InlineData(0, 1)]
    public void An_axis_the_tensor_lacks_is_refused(int rank, int axis)
    {
        var tensor = Scans.Of([.. Enumerable.Repeat(2L, rank)]);
        var error = Assert.Throws<MergeException>(() => tensor.Record(b => b.Base.MaxAlong(axis)));
        Assert.Equal("w", Assert.Single(error.Diagnostics).Where);
    }

    [Fact]
    public void Reducing_a_constant_is_refused() =>
        Assert.Throws<MergeException>(() => Scans.Of([4]).Record(_ => ((TensorExpr)1f).SumAlong()));

    [Fact]
    public void A_merge_without_a_base_has_none_to_give()
    {
        var tensor = Scans.Of([4], hasBase: false);
        Assert.Throws<MergeException>(() => tensor.Record(b => b.Base));
        Assert.Throws<MergeException>(() => tensor.Record(b => b.Deltas[0]));
        Assert.Equal(new InputKey(null, 0), tensor.Record(b => b.Models[0]).Input);
    }

    [Fact]
    public void A_side_input_that_is_not_there_is_refused() =>
        Assert.Throws<MergeException>(() => Scans.Of([4]).Record(b => b.Side("second_moment", 0)));

    [Fact]
    public void What_is_put_back_must_fit_the_tensor()
    {
        var tensor = Scans.Of([2, 3]);
        Assert.Throws<MergeException>(() => tensor.Record(b => b.View(new Matrix(3, 2))));
        Assert.Throws<MergeException>(() => tensor.Record(b => b.Rows([1, 2, 3])));
        Assert.Throws<MergeException>(() => tensor.Record(b => b.Columns([1, 2])));
        Assert.Throws<MergeException>(() => tensor.Record(b => b.LowRank(new Matrix(2, 1), new Matrix(2, 3))));
        Assert.Equal(Op.MatrixView, tensor.Record(b => b.View(new Matrix(2, 3))).Op);
    }

    [Fact]
    public void Masks_know_that_they_are_masks()
    {
        var scan = Scans.Of([4]);
        scan.Count(b => ((b.Base > 0f) & !(b.Base >= 1f)) | ((b.Base < -1f) & (b.Base <= -1f))
            | b.Base.EqualTo(2f) | b.Base.KeptBy(Cut.KeepAll));
        var mask = ((CountRequest)scan.Pending[0]).Mask;
        Assert.All(MasksBelow(mask), node => Assert.True(node.IsMask));
        Assert.False(scan.Record(b => (b.Base > 0f).AsNumber()).IsMask);

        static IEnumerable<Node> MasksBelow(Node node) => node.Op is Op.And or Op.Or or Op.Not
            ? node.Args.SelectMany(MasksBelow).Append(node)
            : [node];
    }
}

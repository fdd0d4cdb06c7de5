using Merge.Sdk;

namespace Sdk.Tests;

public sealed class ValueTests
{
    [Fact]
    public void One_value_is_that_of_every_model()
    {
        PerModel<double> weight = 0.5;
        Assert.Equal([0.5, 0.5, 0.5], weight.ToList(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => weight[-1]);
    }

    [Fact]
    public void One_value_a_model_ends_with_the_models()
    {
        var weight = new PerModel<double>(1, 2);
        Assert.Equal(2, weight[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => weight[2]);
    }

    [Fact]
    public void A_parameter_nobody_gave_is_the_types_default() => Assert.Null(default(PerModel<string?>)[3]);

    [Theory]
    [InlineData(new long[0], 1, 1, 1)]
    [InlineData(new long[] { 5 }, 5, 1, 5)]
    [InlineData(new long[] { 2, 3 }, 6, 2, 3)]
    [InlineData(new long[] { 2, 3, 4 }, 24, 6, 4)]
    [InlineData(new long[] { 0, 3 }, 0, 0, 3)]
    [InlineData(new long[] { 3, 0 }, 0, 0, 0)]
    public void A_tensor_knows_its_sizes(long[] shape, long count, long rows, long rowLength)
    {
        var tensor = new TensorInfo("w", [.. shape], TensorKind.Weight, null);
        Assert.Equal(
            (count, rows, rowLength, shape.Length), (tensor.Count, tensor.RowCount, tensor.RowLength, tensor.Rank));
    }

    [Fact]
    public void Tensors_are_equal_by_value()
    {
        var tensor = new TensorInfo("w", [2, 3], TensorKind.Norm, 1);
        var same = new TensorInfo("w", [2, 3], TensorKind.Norm, 1);
        Assert.Equal(tensor, same);
        Assert.Equal(tensor.GetHashCode(), same.GetHashCode());
        Assert.NotEqual(tensor, tensor with { Kind = TensorKind.Bias });
        Assert.NotEqual(tensor, new TensorInfo("w", [3, 2], TensorKind.Norm, 1));
    }

    [Fact]
    public void A_shape_too_large_to_count_is_refused() => Assert.Throws<OverflowException>(
        () => new TensorInfo("w", [long.MaxValue, 2], TensorKind.Weight, null));

    [Fact]
    public void A_model_cut_keeps_nothing_of_a_tensor_without_score()
    {
        var tensor = new TensorInfo("w", [2], TensorKind.Weight, null);
        var cut = new ModelCut(1, new Dictionary<string, Cut> { ["w"] = new(1, 5) });
        Assert.Equal(new Cut(1, 5), cut.For(tensor));
        Assert.Equal(Cut.KeepNone, cut.For(tensor with { Name = "v" }));
    }

    [Fact]
    public void A_matrix_keeps_its_rows_and_columns()
    {
        var matrix = new Matrix(2, 3, [1, 2, 3, 4, 5, 6]);
        Assert.Equal(6, matrix[1, 2]);
        Assert.Equal([4, 5, 6], matrix.Row(1).ToArray());
        Assert.Equal(2, matrix.Transpose()[1, 0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix[0, 3]);
        Assert.Throws<ArgumentOutOfRangeException>(() => matrix[2, 0]);
        Assert.Throws<ArgumentException>(() => new Matrix(2, 2, [1, 2, 3]));
    }

    [Fact]
    public void A_diagnostic_reads_as_one_line()
    {
        var diagnostic = new Diagnostic("the weights add up to 0")
        {
            Where = "recipe.yml:3",
            Expected = "another sum",
            Fix = "Change them.",
        };
        Assert.Equal(
            "recipe.yml:3: the weights add up to 0; expected another sum. Change them.", diagnostic.ToString());
        Assert.Equal(diagnostic.ToString(), new MergeException(diagnostic).Message);
    }
}

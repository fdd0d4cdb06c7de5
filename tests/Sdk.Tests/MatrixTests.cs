using Merge.Sdk;

namespace Sdk.Tests;

public sealed class MatrixTests
{
    // 0 1 2
    // 3 4 5
    private static readonly Matrix _matrix = new(2, 3, [0, 1, 2, 3, 4, 5]);

    [Fact]
    public void Ranges_give_leading_columns_rows_and_blocks_as_copies()
    {
        Equal([[0, 1], [3, 4]], _matrix[.., ..2]);
        Equal([[0, 1, 2]], _matrix[..1, ..]);
        Equal([[4, 5]], _matrix[1.., ^2..]);
        Equal([[], []], _matrix[.., ..0]);
        var copy = _matrix[.., ..];
        copy[0, 0] = 9;
        Assert.Equal(0, _matrix[0, 0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => _matrix[.., ..4]);
        Assert.Throws<ArgumentOutOfRangeException>(() => _matrix[3.., ..]);
    }

    [Fact]
    public void Matrices_are_put_side_by_side_and_one_below_the_other()
    {
        Equal([[0, 1, 2, 7], [3, 4, 5, 8]], Matrix.SideBySide(_matrix, new(2, 1, [7, 8]), new(2, 0)));
        Equal([[0, 1, 2], [3, 4, 5], [6, 7, 8]], Matrix.Stack(_matrix, new(1, 3, [6, 7, 8]), new(0, 3)));
    }

    [Fact]
    public void Columns_are_scaled_each_by_its_factor() => Equal([[0, 1, -2], [0, 4, -5]], _matrix.ScaleColumns([0, 1, -1]));

    [Fact]
    public void What_does_not_fit_is_refused_with_its_sizes()
    {
        Assert.Contains("2×3, 3×2 matrices", Assert.Throws<ArgumentException>(() => Matrix.SideBySide(_matrix, _matrix.Transpose())).Message);
        Assert.Contains("columns differ", Assert.Throws<ArgumentException>(() => Matrix.Stack(_matrix, _matrix.Transpose())).Message);
        Assert.Contains("no matrix", Assert.Throws<ArgumentException>(() => Matrix.Stack()).Message);
        Assert.Contains(
            "2 factors for the columns of a 2×3 matrix", Assert.Throws<ArgumentException>(() => _matrix.ScaleColumns([1, 2])).Message);
    }

    private static void Equal(double[][] rows, Matrix matrix) =>
        Assert.Equal(rows, Enumerable.Range(0, matrix.Rows).Select(i => matrix.Row(i).ToArray()));
}

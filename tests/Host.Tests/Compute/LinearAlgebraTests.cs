using Merge.Compute;
using Merge.Sdk;

namespace Host.Tests.Compute;

public class LinearAlgebraTests
{
    private static readonly ManagedLinearAlgebra Algebra = new();

    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 5, 5, 5 }, { 12, 4, 4 }, { 4, 12, 4 }, { 20, 8, 3 }, { 8, 20, 3 }, { 30, 30, 7 }, { 6, 1, 1 }, { 1, 6, 1 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Singular_values_and_vectors_give_the_matrix_back(int rows, int columns, int rank)
    {
        var a = OfRank(rows, columns, rank);
        var svd = Algebra.Svd(a);
        var size = Math.Min(rows, columns);
        Assert.Equal((rows, size, size, columns), (svd.U.Rows, svd.U.Columns, svd.Vt.Rows, svd.Vt.Columns));
        AssertIdentity(Algebra.Multiply(svd.U.Transpose(), svd.U));
        AssertIdentity(Algebra.Multiply(svd.Vt, svd.Vt.Transpose()));
        Assert.Equal(svd.Sigma.OrderDescending(), svd.Sigma);
        Assert.All(svd.Sigma.Skip(rank), s => Assert.True(Math.Abs(s) < 1e-12));
        AssertClose(a, Algebra.Multiply(Algebra.Multiply(svd.U, Diagonal(svd.Sigma)), svd.Vt));
        for (var k = 0; k < size; k++)
            Assert.True(Enumerable.Range(0, rows).Select(i => svd.U[i, k]).MaxBy(Math.Abs) > 0);
        AssertClose(Algebra.Multiply(svd.U, svd.Vt), Algebra.Polar(a));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Q_and_R_give_the_matrix_back_and_R_is_triangular(int rows, int columns, int rank)
    {
        var a = OfRank(rows, columns, rank);
        var (q, r) = Algebra.Qr(a);
        AssertIdentity(Algebra.Multiply(q.Transpose(), q));
        AssertClose(a, Algebra.Multiply(q, r));
        for (var i = 0; i < r.Rows; i++)
        {
            Assert.True(r[i, i] >= 0);
            for (var j = 0; j < i; j++)
                Assert.Equal(0, r[i, j]);
        }
    }

    [Fact]
    public void Eigenvectors_diagonalise_a_symmetric_matrix()
    {
        var half = OfRank(9, 9, 9);
        var a = Algebra.Multiply(half, half.Transpose());
        var (values, vectors) = Algebra.SymmetricEigen(a);
        Assert.Equal(values.Order(), values);
        AssertIdentity(Algebra.Multiply(vectors.Transpose(), vectors));
        AssertClose(a, Algebra.Multiply(Algebra.Multiply(vectors, Diagonal(values)), vectors.Transpose()));
    }

    [Fact]
    public void Empty_and_zero_matrices_are_decomposed()
    {
        Assert.Empty(Algebra.Svd(new Matrix(0, 3)).Sigma);
        Assert.Empty(Algebra.Svd(new Matrix(3, 0)).Sigma);
        var zero = Algebra.Svd(new Matrix(3, 2));
        Assert.Equal([0, 0], zero.Sigma);
        AssertIdentity(Algebra.Multiply(zero.U.Transpose(), zero.U));
    }

    [Fact]
    public void A_positive_definite_system_is_solved()
    {
        var root = OfRank(20, 8, 8);
        var a = Algebra.Multiply(root.Transpose(), root);
        var x = OfRank(8, 3, 3);
        AssertClose(x, Algebra.SolvePositive(a, Algebra.Multiply(a, x), 1e-12)!);
    }

    [Fact]
    public void A_system_that_is_not_positive_definite_or_hardly_is_not_solved()
    {
        var b = new Matrix(2, 1);
        Assert.Null(Algebra.SolvePositive(new(2, 2, [1, 2, 2, 1]), b, 0));
        Assert.Null(Algebra.SolvePositive(new(2, 2, [0, 0, 0, 1]), b, 0));
        Assert.Null(Algebra.SolvePositive(new(2, 2, [1, 1, 1, 1.001]), b, 0.01));
        Assert.NotNull(Algebra.SolvePositive(new(2, 2, [1, 1, 1, 1.001]), b, 0.0001));
        Assert.Throws<MergeException>(() => Algebra.SolvePositive(new(2, 2), new(3, 1), 0));
    }

    [Fact]
    public void Matrices_that_do_not_fit_are_refused()
    {
        Assert.Throws<MergeException>(() => Algebra.Multiply(new Matrix(2, 3), new Matrix(2, 3)));
        Assert.Throws<MergeException>(() => Algebra.SymmetricEigen(new Matrix(2, 3)));
    }

    private static Matrix OfRank(int rows, int columns, int rank)
    {
        Matrix Filled(int m, int n, ulong seed) => new(m, n, [.. Evaluate.Finite(m * n, seed).Select(v => (double)v)]);
        return Algebra.Multiply(Filled(rows, rank, 1), Filled(rank, columns, 2));
    }

    private static Matrix Diagonal(double[] values)
    {
        var matrix = new Matrix(values.Length, values.Length);
        for (var i = 0; i < values.Length; i++)
            matrix[i, i] = values[i];
        return matrix;
    }

    private static void AssertIdentity(Matrix a) => AssertClose(Diagonal([.. Enumerable.Repeat(1d, a.Rows)]), a);

    private static void AssertClose(Matrix expected, Matrix actual)
    {
        Assert.Equal((expected.Rows, expected.Columns), (actual.Rows, actual.Columns));
        for (var i = 0; i < expected.Rows; i++)
        {
            for (var j = 0; j < expected.Columns; j++)
                Assert.Equal(expected[i, j], actual[i, j], 1e-12 * Math.Max(expected.Rows, expected.Columns));
        }
    }
}

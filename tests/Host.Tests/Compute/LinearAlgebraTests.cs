using Merge.Compute;
using Merge.Compute.Lapack;
using Merge.Sdk;

namespace Host.Tests.Compute;

public class LinearAlgebraTests
{
    private static readonly (int, int, int)[] _shapes =
    [
        (1, 1, 1), (5, 5, 5), (12, 4, 4), (4, 12, 4), (20, 8, 3), (8, 20, 3), (30, 30, 7), (6, 1, 1), (1, 6, 1), (150, 90, 90),
    ];

    /// <summary>Managed code, and the LAPACK that is installed, if any.</summary>
    public static IEnumerable<string> Installed => LinearAlgebraChoice.Of(null) is LapackLinearAlgebra
        ? [LinearAlgebraChoice.None, ""]
        : [LinearAlgebraChoice.None];

    public static TheoryData<string> Libraries => [.. Installed];

    public static TheoryData<string, int, int, int> Shapes
    {
        get
        {
            var all = new TheoryData<string, int, int, int>();
            foreach (var library in Installed)
            {
                foreach (var (rows, columns, rank) in _shapes)
                    all.Add(library, rows, columns, rank);
            }
            return all;
        }
    }

    [LapackFact]
    public void A_LAPACK_agrees_with_managed_code_up_to_rounding()
    {
        var (lapack, managed) = (LinearAlgebraChoice.Of(null), LinearAlgebraChoice.Of(LinearAlgebraChoice.None));
        Assert.NotEqual(managed.Name, lapack.Name);
        foreach (var (rows, columns) in new[] { (60, 60), (90, 40), (40, 90) })
        {
            var a = Filled(rows, columns, 7);
            var (one, other) = (lapack.Svd(a), managed.Svd(a));
            AssertClose(other.U, one.U);
            AssertClose(other.Vt, one.Vt);
            Assert.Equal(other.Sigma, one.Sigma, (x, y) => Math.Abs(x - y) < 1e-11);
            AssertClose(managed.Qr(a).Q, lapack.Qr(a).Q);
            AssertClose(managed.Qr(a).R, lapack.Qr(a).R);
            AssertClose(managed.Multiply(a, a.Transpose()), lapack.Multiply(a, a.Transpose()));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Singular_values_and_vectors_give_the_matrix_back(string library, int rows, int columns, int rank)
    {
        var algebra = LinearAlgebraChoice.Of(library);
        var a = OfRank(rows, columns, rank);
        var svd = algebra.Svd(a);
        var size = Math.Min(rows, columns);
        Assert.Equal((rows, size, size, columns), (svd.U.Rows, svd.U.Columns, svd.Vt.Rows, svd.Vt.Columns));
        AssertIdentity(algebra.Multiply(svd.U.Transpose(), svd.U));
        AssertIdentity(algebra.Multiply(svd.Vt, svd.Vt.Transpose()));
        Assert.Equal(svd.Sigma.OrderDescending(), svd.Sigma);
        Assert.All(svd.Sigma.Skip(rank), s => Assert.True(Math.Abs(s) < 1e-12));
        AssertClose(a, algebra.Multiply(algebra.Multiply(svd.U, Diagonal(svd.Sigma)), svd.Vt));
        for (var k = 0; k < size; k++)
            Assert.True(Enumerable.Range(0, rows).Select(i => svd.U[i, k]).MaxBy(Math.Abs) > 0);
        AssertClose(algebra.Multiply(svd.U, svd.Vt), algebra.Polar(a));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Q_and_R_give_the_matrix_back_and_R_is_triangular(string library, int rows, int columns, int rank)
    {
        var algebra = LinearAlgebraChoice.Of(library);
        var a = OfRank(rows, columns, rank);
        var (q, r) = algebra.Qr(a);
        AssertIdentity(algebra.Multiply(q.Transpose(), q));
        AssertClose(a, algebra.Multiply(q, r));
        for (var i = 0; i < r.Rows; i++)
        {
            Assert.True(r[i, i] >= 0);
            for (var j = 0; j < i; j++)
                Assert.Equal(0, r[i, j]);
        }
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Eigenvectors_diagonalise_a_symmetric_matrix(string library)
    {
        var algebra = LinearAlgebraChoice.Of(library);
        var half = OfRank(9, 9, 9);
        var a = algebra.Multiply(half, half.Transpose());
        var (values, vectors) = algebra.SymmetricEigen(a);
        Assert.Equal(values.Order(), values);
        AssertIdentity(algebra.Multiply(vectors.Transpose(), vectors));
        AssertClose(a, algebra.Multiply(algebra.Multiply(vectors, Diagonal(values)), vectors.Transpose()));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Empty_and_zero_matrices_are_decomposed(string library)
    {
        var algebra = LinearAlgebraChoice.Of(library);
        Assert.Empty(algebra.Svd(new Matrix(0, 3)).Sigma);
        Assert.Empty(algebra.Svd(new Matrix(3, 0)).Sigma);
        var zero = algebra.Svd(new Matrix(3, 2));
        Assert.Equal([0, 0], zero.Sigma);
        AssertIdentity(algebra.Multiply(zero.U.Transpose(), zero.U));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_positive_definite_system_is_solved(string library)
    {
        var algebra = LinearAlgebraChoice.Of(library);
        var root = OfRank(20, 8, 8);
        var a = algebra.Multiply(root.Transpose(), root);
        var x = OfRank(8, 3, 3);
        AssertClose(x, algebra.SolvePositive(a, algebra.Multiply(a, x), 1e-12)!);
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_system_that_is_not_positive_definite_or_hardly_is_not_solved(string library)
    {
        var algebra = LinearAlgebraChoice.Of(library);
        var b = new Matrix(2, 1);
        Assert.Null(algebra.SolvePositive(new(2, 2, [1, 2, 2, 1]), b, 0));
        Assert.Null(algebra.SolvePositive(new(2, 2, [0, 0, 0, 1]), b, 0));
        Assert.Null(algebra.SolvePositive(new(2, 2, [1, 1, 1, 1.001]), b, 0.01));
        Assert.NotNull(algebra.SolvePositive(new(2, 2, [1, 1, 1, 1.001]), b, 0.0001));
        Assert.Throws<MergeException>(() => algebra.SolvePositive(new(2, 2), new(3, 1), 0));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Matrices_that_do_not_fit_are_refused(string library)
    {
        var algebra = LinearAlgebraChoice.Of(library);
        Assert.Throws<MergeException>(() => algebra.Multiply(new Matrix(2, 3), new Matrix(2, 3)));
        Assert.Throws<MergeException>(() => algebra.SymmetricEigen(new Matrix(2, 3)));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_NaN_is_refused_by_place_and_is_the_users(string library)
    {
        var algebra = LinearAlgebraChoice.Of(library);
        var a = Filled(6, 6, 3);
        a[2, 4] = double.NaN;
        foreach (var call in (Action[])[() => algebra.Svd(a), () => algebra.Qr(a), () => algebra.SymmetricEigen(a), () => algebra.Polar(a)])
        {
            var problem = Assert.Single(Assert.Throws<NonFiniteMatrix>(call).Diagnostics);
            Assert.Equal(("a 6×6 matrix to decompose holds a NaN in row 2, column 4", Actor.User), (problem.Found, problem.Actor));
        }
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_same_matrix_gives_the_same_bits(string library)
    {
        var a = Filled(120, 80, 5);
        var first = LinearAlgebraChoice.Of(library).Svd(a);
        Parallel.For(0, 4, _ =>
        {
            var again = LinearAlgebraChoice.Of(library).Svd(a);
            Assert.Equal(first.Sigma, again.Sigma);
            Assert.Equal(first.U.Values, again.U.Values);
        });
    }

    [Fact]
    public void A_library_that_is_not_there_or_no_LAPACK_is_refused()
    {
        foreach (var library in (string[])["/no/such/library.so", "libm.so.6"])
        {
            var fault = Assert.Throws<MergeException>(() => LinearAlgebraChoice.Of(library));
            Assert.True(fault.WrongUsage);
            Assert.Contains(library, fault.Message);
        }
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_decomposition_allocates_no_more_than_it_says(string library)
    {
        var algebra = LinearAlgebraChoice.Of(library);
        foreach (var (rows, columns) in new[] { (150, 150), (100, 400), (400, 100), (80, 1200), (60, 61) })
        {
            var a = Filled(rows, columns, 7);
            algebra.Svd(a);
            var before = GC.GetAllocatedBytesForCurrentThread();
            algebra.Svd(a);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.InRange(allocated, 0, algebra.SvdBytes(rows, columns) + 20_000);
            // What LAPACK works on is outside the collector: the matrix, and 3·k² numbers at least.
            var size = (long)Math.Min(rows, columns);
            Assert.InRange(algebra.SvdBytes(rows, columns), sizeof(double) * ((2L * rows * columns) + (3 * size * size)), long.MaxValue);
        }
    }

    private static Matrix OfRank(int rows, int columns, int rank)
    {
        return new ManagedLinearAlgebra().Multiply(Filled(rows, rank, 1), Filled(rank, columns, 2));
    }

    private static Matrix Filled(int rows, int columns, ulong seed) =>
        new(rows, columns, [.. Evaluate.Finite(rows * columns, seed).Select(v => (double)v)]);

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

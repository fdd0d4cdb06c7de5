using MathNet.Numerics;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;
using Merge.Sdk;
using Matrix = Merge.Sdk.Matrix;

namespace Merge.Compute;

/// <summary>
/// Linear algebra by MathNet's managed code on one thread: the same bits on every machine, and many times slower than a
/// LAPACK where matrices are large.
/// </summary>
internal sealed class ManagedLinearAlgebra : INamedLinearAlgebra
{
    // All that is allocated for a square matrix, and beside that for the QR decomposition of another one.
    private const int OfSquare = 10;
    private const int OfOther = 9;

    static ManagedLinearAlgebra()
    {
        Control.UseManaged();
        Control.UseSingleThread();
    }

    public string Name => $"MathNet {typeof(Control).Assembly.GetName().Version!.ToString(3)}";

    public bool CanBeLeft => true;

    public long SvdBytes(long rows, long columns)
    {
        var size = Math.Min(rows, columns);
        return sizeof(double) * ((OfSquare * size * size) + (rows == columns ? 0 : OfOther * rows * columns));
    }

    public Matrix Multiply(Matrix a, Matrix b)
    {
        MatrixFault.CheckProduct(a, b);
        var product = new Matrix(a.Rows, b.Columns);
        for (var i = 0; i < a.Rows; i++)
        {
            var row = product.Row(i);
            for (var k = 0; k < a.Columns; k++)
            {
                var factor = a[i, k];
                var other = b.Row(k);
                for (var j = 0; j < row.Length; j++)
                    row[j] += factor * other[j];
            }
        }
        return product;
    }

    public Svd Svd(Matrix a)
    {
        MatrixFault.CheckFinite(a);
        var svd = Decompose(a);
        SignConvention.Apply(svd);
        return svd;
    }

    public SymmetricEigen SymmetricEigen(Matrix a)
    {
        MatrixFault.CheckSquare(a);
        if (a.Rows == 0)
            return new([], new(0, 0));
        MatrixFault.CheckFinite(a);
        var eigen = Converged(a, m => m.Evd(Symmetricity.Symmetric));
        var values = eigen.EigenValues.Select(v => v.Real).ToArray();
        var vectors = To(eigen.EigenVectors);
        int[] order = [.. Enumerable.Range(0, values.Length).OrderBy(i => values[i])];
        var sorted = new Matrix(a.Rows, a.Rows);
        for (var i = 0; i < order.Length; i++)
        {
            for (var j = 0; j < order.Length; j++)
                sorted[i, j] = vectors[i, order[j]];
        }
        SignConvention.Apply(sorted);
        return new([.. order.Select(i => values[i])], sorted);
    }

    public Qr Qr(Matrix a)
    {
        var size = Math.Min(a.Rows, a.Columns);
        if (size == 0)
            return new(new(a.Rows, 0), new(0, a.Columns));
        MatrixFault.CheckFinite(a);

        // Of a wide matrix the first square part gives Q.
        var square = a.Columns <= a.Rows ? From(a) : From(a).SubMatrix(0, a.Rows, 0, a.Rows);
        var q = To(square.QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin).Q);
        var r = Multiply(q.Transpose(), a);
        for (var k = 0; k < size; k++)
            r.Row(k)[..k].Clear();
        SignConvention.Apply(q, r);
        return new(q, r);
    }

    public Matrix Polar(Matrix a)
    {
        var svd = Svd(a);
        return Multiply(svd.U, svd.Vt);
    }

    public Matrix? SolvePositive(Matrix a, Matrix b, double tolerance)
    {
        MatrixFault.CheckSystem(a, b);
        if (a.Rows == 0)
            return new(0, b.Columns);
        MatrixFault.CheckFinite(a);
        try
        {
            var cholesky = From(a).Cholesky();
            for (var j = 0; j < a.Rows; j++)
            {
                var pivot = cholesky.Factor[j, j];
                if (!(pivot * pivot > tolerance * a[j, j]))
                    return null;
            }
            return To(cholesky.Solve(From(b)));
        }
        catch (ArgumentException)
        {
            // A pivot that is not positive at all.
            return null;
        }
    }

    private static Svd Decompose(Matrix a)
    {
        // MathNet's full U is m×m: of a tall matrix the triangular factor is decomposed instead.
        if (a.Rows > a.Columns)
        {
            var tall = new ManagedLinearAlgebra();
            var qr = tall.Qr(a);
            var small = Decompose(qr.R);
            return new(tall.Multiply(qr.Q, small.U), small.Sigma, small.Vt);
        }
        if (a.Rows < a.Columns)
        {
            var turned = Decompose(a.Transpose());
            return new(turned.Vt.Transpose(), turned.Sigma, turned.U.Transpose());
        }
        if (a.Rows == 0)
            return new(new(0, 0), [], new(0, 0));
        var svd = Converged(a, m => m.Svd());
        return new(To(svd.U), svd.S.ToArray(), To(svd.VT));
    }

    private static T Converged<T>(Matrix a, Func<Matrix<double>, T> decompose)
    {
        try
        {
            return decompose(From(a));
        }
        catch (NonConvergenceException)
        {
            throw MatrixFault.NotConverged(a);
        }
    }

    private static Matrix<double> From(Matrix a) => DenseMatrix.Build.DenseOfRowMajor(a.Rows, a.Columns, a.Values);

    private static Matrix To(Matrix<double> a) => new(a.RowCount, a.ColumnCount, a.ToRowMajorArray());
}

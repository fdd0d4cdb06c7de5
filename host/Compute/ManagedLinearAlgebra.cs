using MathNet.Numerics;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;
using Merge.Sdk;
using Matrix = Merge.Sdk.Matrix;

namespace Merge.Compute;

/// <summary>
/// Linear algebra by MathNet's managed code on one thread: the same bits in every run. Signs that a decomposition
/// leaves open are fixed: the entry of largest magnitude in a column of U, or of the eigenvectors, is positive.
/// </summary>
internal sealed class ManagedLinearAlgebra : ILinearAlgebra
{
    static ManagedLinearAlgebra()
    {
        Control.UseManaged();
        Control.UseSingleThread();
    }

    public Matrix Multiply(Matrix a, Matrix b)
    {
        if (a.Columns != b.Rows)
        {
            throw MergeException.Plugin(
                $"a {a.Rows}×{a.Columns} matrix is multiplied with one of {b.Rows}×{b.Columns}");
        }
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
        // MathNet's full U is m×m: of a tall matrix the triangular factor is decomposed instead.
        if (a.Rows > a.Columns)
        {
            var qr = Qr(a);
            var small = Svd(qr.R);
            return FixSigns(Multiply(qr.Q, small.U), small.Sigma, small.Vt);
        }
        if (a.Rows < a.Columns)
        {
            var turned = Svd(a.Transpose());
            return FixSigns(turned.Vt.Transpose(), turned.Sigma, turned.U.Transpose());
        }
        if (a.Rows == 0)
            return new(new(0, 0), [], new(0, 0));
        var svd = From(a).Svd();
        return FixSigns(To(svd.U), svd.S.ToArray(), To(svd.VT));
    }

    public SymmetricEigen SymmetricEigen(Matrix a)
    {
        if (a.Rows != a.Columns)
        {
            throw MergeException.Plugin(
                $"eigenvalues of a {a.Rows}×{a.Columns} matrix are asked for", "a square matrix");
        }
        if (a.Rows == 0)
            return new([], new(0, 0));
        var eigen = From(a).Evd(Symmetricity.Symmetric);
        var values = eigen.EigenValues.Select(v => v.Real).ToArray();
        var vectors = To(eigen.EigenVectors);
        int[] order = [.. Enumerable.Range(0, values.Length).OrderBy(i => values[i])];
        var sorted = new Matrix(a.Rows, a.Rows);
        for (var j = 0; j < order.Length; j++)
        {
            var sign = SignOfColumn(vectors, order[j]);
            for (var i = 0; i < a.Rows; i++)
                sorted[i, j] = sign * vectors[i, order[j]];
        }
        return new([.. order.Select(i => values[i])], sorted);
    }

    public Qr Qr(Matrix a)
    {
        var size = Math.Min(a.Rows, a.Columns);
        if (size == 0)
            return new(new(a.Rows, 0), new(0, a.Columns));

        // Of a wide matrix the first square part gives Q.
        var square = a.Columns <= a.Rows ? From(a) : From(a).SubMatrix(0, a.Rows, 0, a.Rows);
        var q = To(square.QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin).Q);
        var r = Multiply(q.Transpose(), a);
        for (var k = 0; k < size; k++)
        {
            for (var j = 0; j < Math.Min(k, a.Columns); j++)
                r[k, j] = 0;
            if (r[k, k] >= 0)
                continue;
            for (var j = 0; j < a.Columns; j++)
                r[k, j] = -r[k, j];
            for (var i = 0; i < a.Rows; i++)
                q[i, k] = -q[i, k];
        }
        return new(q, r);
    }

    public Matrix Polar(Matrix a)
    {
        var svd = Svd(a);
        return Multiply(svd.U, svd.Vt);
    }

    public Matrix? SolvePositive(Matrix a, Matrix b, double tolerance)
    {
        if (a.Rows != a.Columns || a.Rows != b.Rows)
            throw MergeException.Plugin($"a {a.Rows}×{a.Columns} matrix is solved for one of {b.Rows}×{b.Columns}");
        if (a.Rows == 0)
            return new(0, b.Columns);
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

    private static Svd FixSigns(Matrix u, double[] sigma, Matrix vt)
    {
        for (var k = 0; k < sigma.Length; k++)
        {
            if (SignOfColumn(u, k) > 0)
                continue;
            for (var i = 0; i < u.Rows; i++)
                u[i, k] = -u[i, k];
            for (var j = 0; j < vt.Columns; j++)
                vt[k, j] = -vt[k, j];
        }
        return new(u, sigma, vt);
    }

    private static int SignOfColumn(Matrix matrix, int column)
    {
        var largest = 0d;
        for (var i = 0; i < matrix.Rows; i++)
        {
            if (Math.Abs(matrix[i, column]) > Math.Abs(largest))
                largest = matrix[i, column];
        }
        return largest < 0 ? -1 : 1;
    }

    private static Matrix<double> From(Matrix a) => DenseMatrix.Build.DenseOfRowMajor(a.Rows, a.Columns, a.Values);

    private static Matrix To(Matrix<double> a) => new(a.RowCount, a.ColumnCount, a.ToRowMajorArray());
}

using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Double;
using MathNet.Numerics.LinearAlgebra.Factorization;
using Merge.Sdk;
using Matrix = Merge.Sdk.Matrix;

namespace Plugins.Tests.Arrays;

/// <summary>The contract's linear algebra from MathNet, kept as short as it goes.</summary>
internal sealed class MathNetAlgebra : ILinearAlgebra
{
    public Matrix Multiply(Matrix a, Matrix b) => From(To(a) * To(b));

    public Merge.Sdk.Svd Svd(Matrix a)
    {
        var svd = To(a).Svd();
        var k = Math.Min(a.Rows, a.Columns);
        return new Merge.Sdk.Svd(
            From(svd.U.SubMatrix(0, a.Rows, 0, k)), [.. svd.S], From(svd.VT.SubMatrix(0, k, 0, a.Columns)));
    }

    public SymmetricEigen SymmetricEigen(Matrix a)
    {
        var eigen = To(a).Evd(Symmetricity.Symmetric);
        return new SymmetricEigen([.. eigen.EigenValues.Select(v => v.Real)], From(eigen.EigenVectors));
    }

    public Qr Qr(Matrix a)
    {
        var qr = To(a).QR(QRMethod.Thin);
        var signs = DiagonalMatrix.OfDiagonal(
            qr.R.RowCount, qr.R.RowCount, qr.R.Diagonal().Select(r => r < 0 ? -1.0 : 1));
        return new Qr(From(qr.Q * signs), From(signs * qr.R));
    }

    public Matrix Polar(Matrix a)
    {
        var svd = Svd(a);
        return Multiply(svd.U, svd.Vt);
    }

    public Matrix? SolvePositive(Matrix a, Matrix b, double tolerance)
    {
        // Gauss's pivots without exchanges are the squares of the Cholesky factor's.
        var left = To(a);
        for (var j = 0; j < a.Rows; j++)
        {
            if (!(left[j, j] > tolerance * a[j, j]))
                return null;
            for (var i = j + 1; i < a.Rows; i++)
                left.SetRow(i, left.Row(i) - (left.Row(j) * (left[i, j] / left[j, j])));
        }
        return From(To(a).Solve(To(b)));
    }

    private static Matrix<double> To(Matrix a) => DenseMatrix.Create(a.Rows, a.Columns, (i, j) => a[i, j]);

    private static Matrix From(Matrix<double> a) => new(a.RowCount, a.ColumnCount, a.ToRowMajorArray());
}

using Merge.Adapters;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>
/// The singular value decomposition of L·R from its factors: L = Q·T and Rᵀ = P·S with orthonormal Q and P, so that the
/// singular values are those of T·Sᵀ, which is as small as their rank; with T·Sᵀ = U·Σ·Vᵀ the vectors are
/// Q·U = L·(Sᵀ·V)·Σ⁻¹ and P·V = Rᵀ·(Tᵀ·U)·Σ⁻¹. Neither Q nor P nor the product itself is ever made.
/// </summary>
internal static class FactorAlgebra
{
    public static TruncatedSvd Decompose(Factors factors, RankChoice choice, ILinearAlgebra algebra)
    {
        var (left, right) = Triangles(factors, algebra);
        var core = algebra.Svd(algebra.Multiply(left, right.Transpose()));
        var energy = Energy(core.Sigma);
        var rank = choice.Of(core.Sigma, energy);
        var u = Scaled(algebra.Multiply(right.Transpose(), core.Vt.Transpose()), core.Sigma, rank);
        var v = Scaled(algebra.Multiply(left.Transpose(), core.U), core.Sigma, rank);
        return new(OfLeft(factors, u), core.Sigma[..rank], OfRight(factors, v), energy);
    }

    /// <summary>The singular values of L·R that are more than rounding, descending.</summary>
    public static double[] SingularValues(Factors factors, ILinearAlgebra algebra)
    {
        var (left, right) = Triangles(factors, algebra);
        var sigma = algebra.Svd(algebra.Multiply(left, right.Transpose())).Sigma;
        return sigma[..new RankChoice(factors.Rank, null).Of(sigma, Energy(sigma))];
    }

    private static double Energy(double[] sigma) => sigma.Sum(s => s * s);

    private static (Matrix Left, Matrix Right) Triangles(Factors factors, ILinearAlgebra algebra)
    {
        var (rank, width) = (factors.Rank, factors.Width);
        return (
            Triangle(factors.Left.Length / rank, rank, algebra, (first, into, count) =>
            {
                for (var i = 0; i < count * rank; i++)
                    into[i] = factors.Left[((long)first * rank) + i];
            }),
            Triangle(width, rank, algebra, (first, into, count) =>
            {
                for (var k = 0; k < rank; k++)
                {
                    for (var i = 0; i < count; i++)
                        into[(i * rank) + k] = factors.Right[((long)k * width) + first + i];
                }
            }));
    }

    /// <summary>The triangle of a tall matrix' QR decomposition, from some rows at a time below that of those above.</summary>
    private static Matrix Triangle(int rows, int rank, ILinearAlgebra algebra, Fill fill)
    {
        var triangle = new Matrix(0, rank);
        var most = Math.Max(WorkMemory.RowsAtOnce, 2 * rank);
        for (var first = 0; first < rows; first += most)
        {
            var count = Math.Min(most, rows - first);
            var stacked = new Matrix(triangle.Rows + count, rank);
            triangle.Values.CopyTo(stacked.Values, 0);
            fill(first, stacked.Values.AsSpan(triangle.Rows * rank), count);
            triangle = algebra.Qr(stacked).R;
        }
        return triangle;
    }

    /// <summary>The first columns, each divided by its singular value.</summary>
    private static Matrix Scaled(Matrix matrix, double[] sigma, int rank)
    {
        var scaled = new Matrix(matrix.Rows, rank);
        for (var i = 0; i < matrix.Rows; i++)
        {
            for (var k = 0; k < rank; k++)
                scaled[i, k] = matrix[i, k] / sigma[k];
        }
        return scaled;
    }

    private static Matrix OfLeft(Factors factors, Matrix by)
    {
        var product = new Matrix(factors.Left.Length / factors.Rank, by.Columns);
        for (var i = 0; i < product.Rows; i++)
        {
            for (var k = 0; k < factors.Rank; k++)
                RowSums.AddScaled(factors.Left[((long)i * factors.Rank) + k], by.Row(k), product.Row(i));
        }
        return product;
    }

    private static Matrix OfRight(Factors factors, Matrix by)
    {
        var product = new Matrix(by.Columns, factors.Width);
        for (var r = 0; r < product.Rows; r++)
        {
            for (var k = 0; k < factors.Rank; k++)
                RowSums.AddScaled(by[k, r], factors.Right.AsSpan(k * factors.Width, factors.Width), product.Row(r));
        }
        return product;
    }

    /// <param name="first">The first row.</param>
    /// <param name="into">Takes the rows, one after the other.</param>
    /// <param name="count">How many.</param>
    private delegate void Fill(int first, Span<double> into, int count);
}

using Merge.Sdk;

namespace Merge.Plugin.Knots;

/// <summary>[Δ_1 … Δ_n] = U Σ [V_1ᵀ … V_nᵀ] up to a rank r; of task vectors whose ranks add up to no more it is exact.</summary>
/// <param name="U">m×r, orthonormal columns.</param>
/// <param name="Sigma">r singular values, descending, none zero.</param>
/// <param name="V">Of each model its block, n×r.</param>
internal sealed record SharedBasis(Matrix U, double[] Sigma, IReadOnlyList<Matrix> V)
{
    // What float32 inputs cannot tell from zero.
    private const double Vanishing = 1e-7;

    /// <summary>λ U Σ, m×r.</summary>
    public Matrix ScaledU(double lambda) => U.ScaleColumns([.. Sigma.Select(s => lambda * s)]);

    /// <summary>
    /// By projection on <paramref name="size"/> directions (Halko, Martinsson and Tropp, arXiv:0909.4061): the columns of
    /// Σ Δ_i Ω_i span what all Δ_i do together.
    /// </summary>
    public static async ValueTask<SharedBasis> Of(TensorScan tensor, int size)
    {
        var (algebra, models) = (tensor.LinearAlgebra, tensor.ModelCount);
        if (size == 0)
            return Empty(tensor);
        var omega = Enumerable.Range(0, models).Select(i => Normal((int)tensor.Info.RowLength, size, i)).ToArray();
        var q = algebra.Qr(Sum(await tensor.EachModel(i => tensor.Product(b => b.Deltas[i], omega[i])))).Q;
        var back = await tensor.EachModel(i => tensor.TransposedProduct(b => b.Deltas[i], q));
        q = algebra.Qr(Sum(await tensor.EachModel(i => tensor.Product(b => b.Deltas[i], back[i])))).Q;
        var blocks = await tensor.EachModel(i => tensor.TransposedProduct(b => b.Deltas[i], q));

        // The blocks one below the other are [Δ_1 … Δ_n]ᵀ Q: their SVD gives the rest.
        var svd = algebra.Svd(Matrix.Stack(blocks));
        var rank = svd.Sigma.TakeWhile(s => s > Vanishing * svd.Sigma[0] && s > 0).Count();
        if (rank == 0)
            return Empty(tensor);
        var turn = svd.Vt[..rank, ..].Transpose();
        double[] inverse = [.. svd.Sigma[..rank].Select(s => 1 / s)];
        return new(
            algebra.Multiply(q, turn),
            svd.Sigma[..rank],
            [.. blocks.Select(block => algebra.Multiply(block, turn).ScaleColumns(inverse))]);
    }

    private static SharedBasis Empty(TensorScan tensor) => new(
        new((int)tensor.Info.RowCount, 0), [],
        [.. Enumerable.Range(0, tensor.ModelCount).Select(_ => new Matrix((int)tensor.Info.RowLength, 0))]);

    private static Matrix Normal(int rows, int columns, int model)
    {
        var random = new SearchRandom((ulong)model);
        var matrix = new Matrix(rows, columns);
        for (var i = 0; i < rows; i++)
        {
            for (var k = 0; k < columns; k++)
                matrix[i, k] = random.Normal();
        }
        return matrix;
    }

    private static Matrix Sum(Matrix[] matrices)
    {
        var sum = new Matrix(matrices[0].Rows, matrices[0].Columns);
        foreach (var matrix in matrices)
        {
            for (var i = 0; i < sum.Rows; i++)
            {
                var into = sum.Row(i);
                var row = matrix.Row(i);
                for (var k = 0; k < row.Length; k++)
                    into[k] += row[k];
            }
        }
        return sum;
    }
}

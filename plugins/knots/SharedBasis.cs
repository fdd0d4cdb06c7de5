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
    public Matrix ScaledU(double lambda)
    {
        var scaled = new Matrix(U.Rows, U.Columns);
        for (var i = 0; i < U.Rows; i++)
        {
            for (var k = 0; k < U.Columns; k++)
                scaled[i, k] = lambda * U[i, k] * Sigma[k];
        }
        return scaled;
    }

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
        var svd = algebra.Svd(Stack(blocks));
        var rank = svd.Sigma.TakeWhile(s => s > Vanishing * svd.Sigma[0] && s > 0).Count();
        if (rank == 0)
            return Empty(tensor);
        var turn = Columns(svd.Vt.Transpose(), rank);
        var v = blocks.Select(block => algebra.Multiply(block, turn)).ToArray();
        foreach (var block in v)
        {
            for (var j = 0; j < block.Rows; j++)
            {
                for (var k = 0; k < rank; k++)
                    block[j, k] /= svd.Sigma[k];
            }
        }
        return new(algebra.Multiply(q, turn), svd.Sigma[..rank], v);
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

    private static Matrix Stack(Matrix[] blocks)
    {
        var stacked = new Matrix(blocks.Sum(b => b.Rows), blocks[0].Columns);
        var at = 0;
        foreach (var block in blocks)
        {
            for (var i = 0; i < block.Rows; i++)
                block.Row(i).CopyTo(stacked.Row(at++));
        }
        return stacked;
    }

    private static Matrix Columns(Matrix matrix, int count)
    {
        var first = new Matrix(matrix.Rows, count);
        for (var i = 0; i < matrix.Rows; i++)
            matrix.Row(i)[..count].CopyTo(first.Row(i));
        return first;
    }
}

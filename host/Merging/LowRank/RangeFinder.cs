using Merge.Adapters;
using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>
/// The leading singular triples of an expression, by random projection with subspace iterations (Halko, Martinsson and
/// Tropp, "Finding structure with randomness", arXiv:0909.4061, algorithms 4.4 and 5.1): a few sweeps over the bytes,
/// and never the m×n matrix in memory unless it is small. Where an energy is asked for, the basis is extended block by
/// block (Martinsson and Voronin, arXiv:1503.07157) until it holds as much.
/// </summary>
internal static class RangeFinder
{
    private const int Oversampling = 10;
    private const int PowerIterations = 2;
    private const int FirstGuess = 32;

    // Of ‖X‖², what rounding leaves beyond any basis.
    private const double Rounding = 1e-12;

    // Below this the whole matrix and an exact decomposition cost less than sweeps do.
    private const long SmallMatrix = 1 << 16;

    /// <param name="scan">The tensor.</param>
    /// <param name="value">X.</param>
    /// <param name="choice">How much of it is wanted.</param>
    /// <param name="seed">The recipe's: the projection is drawn by seed and tensor.</param>
    /// <param name="begin">Told the width of a basis before anything of that size is held.</param>
    public static async ValueTask<TruncatedSvd> Decompose(
        TensorScan scan, Func<Block, TensorExpr> value, RankChoice choice, ulong seed, Action<int>? begin = null)
    {
        var (rows, columns) = (checked((int)scan.Info.RowCount), checked((int)scan.Info.RowLength));
        var most = Math.Min(rows, columns);
        begin?.Invoke(FirstWidth(scan.Info, choice));
        var askedEnergy = scan.Dot(value, value);
        if (scan.Info.Count <= SmallMatrix)
        {
            var whole = scan.Materialize(value);
            CheckFinite(scan, await askedEnergy);
            var svd = scan.LinearAlgebra.Svd(await whole);
            return Cut(new(svd.U, svd.Sigma, svd.Vt, await askedEnergy), choice);
        }
        var energy = await askedEnergy;
        CheckFinite(scan, energy);
        if (energy == 0)
            return new(new(rows, 0), [], new(0, columns), 0);
        var random = new SearchRandom(Philox.KeyOf(seed, scan.Info.Name));
        // Where energy decides, the basis doubles until it holds enough.
        var limit = LargestWidth(scan.Info, choice);
        var basis = await Extend(scan, value, null, FirstWidth(scan.Info, choice), random);
        while (basis.Width < limit && choice.KeptEnergy is { } share
            && energy - basis.Kept > Math.Max(1 - share, Rounding) * energy)
        {
            var more = (int)Math.Min(basis.Width, limit - basis.Width);
            begin?.Invoke(basis.Width + more);
            basis = await Extend(scan, value, basis, more, random);
        }
        // QᵀX, as (XᵀQ)ᵀ: its SVD gives X's within the range of Q.
        var small = scan.LinearAlgebra.Svd(basis.Projected);
        var u = scan.LinearAlgebra.Multiply(basis.Q, small.Vt.Transpose());
        return Cut(new(u, small.Sigma, small.U.Transpose(), energy), choice);
    }

    /// <summary>Columns of the first basis.</summary>
    public static int FirstWidth(TensorInfo info, RankChoice choice)
    {
        var first = choice.KeptEnergy is null ? choice.Rank!.Value : Math.Min(choice.Rank ?? FirstGuess, FirstGuess);
        return (int)Math.Min(first + (long)Oversampling, Math.Min(info.RowCount, info.RowLength));
    }

    /// <summary>Columns that the basis may grow to.</summary>
    public static int LargestWidth(TensorInfo info, RankChoice choice) =>
        (int)Math.Min((choice.Rank ?? int.MaxValue) + (long)Oversampling, Math.Min(info.RowCount, info.RowLength));

    private static void CheckFinite(TensorScan scan, double energy)
    {
        if (double.IsFinite(energy))
            return;
        throw new MergeException(new Diagnostic("the change holds a NaN or an infinity, which has no decomposition")
        {
            Where = scan.Info.Name,
            Fix = "Look for the model that holds it: merge inspect A B.",
        });
    }

    private static TruncatedSvd Cut(TruncatedSvd svd, RankChoice choice) => svd.Take(choice.Of(svd.Sigma, svd.Energy));

    /// <summary>A basis with more columns, which find what the earlier ones leave of X; X itself is never changed.</summary>
    private static async ValueTask<Basis> Extend(
        TensorScan scan, Func<Block, TensorExpr> value, Basis? basis, int width, SearchRandom random)
    {
        var algebra = scan.LinearAlgebra;
        var product = scan.Product(value, Normal((int)scan.Info.RowLength, width, random));
        for (var i = 0; i < PowerIterations; i++)
        {
            // Nothing of an earlier step is kept in a variable: it would stay in memory during a sweep.
            var turned = scan.TransposedProduct(value, Orthonormal(await product));
            product = scan.Product(value, algebra.Qr(await turned).Q);
        }
        var q = Orthonormal(await product);
        var projected = await scan.TransposedProduct(value, q);
        return basis is null ? new(q, projected) : new(Beside(basis.Q, q), Beside(basis.Projected, projected));

        // Twice: what one subtraction leaves of the earlier columns may be large beside what is new.
        Matrix Orthonormal(Matrix y)
        {
            var own = algebra.Qr(Without(y)).Q;
            return basis is null ? own : algebra.Qr(Without(own)).Q;
        }

        Matrix Without(Matrix y)
        {
            if (basis is null)
                return y;
            var part = algebra.Multiply(basis.Q, algebra.Multiply(basis.Q.Transpose(), y));
            for (var i = 0; i < y.Rows; i++)
            {
                for (var j = 0; j < y.Columns; j++)
                    y[i, j] -= part[i, j];
            }
            return y;
        }
    }

    private static double SumOfSquares(Matrix matrix)
    {
        var sum = 0.0;
        for (var i = 0; i < matrix.Rows; i++)
        {
            foreach (var value in matrix.Row(i))
                sum += value * value;
        }
        return sum;
    }

    private static Matrix Beside(Matrix left, Matrix right)
    {
        var both = new Matrix(left.Rows, left.Columns + right.Columns);
        for (var i = 0; i < both.Rows; i++)
        {
            left.Row(i).CopyTo(both.Row(i));
            right.Row(i).CopyTo(both.Row(i)[left.Columns..]);
        }
        return both;
    }

    private static Matrix Normal(int rows, int columns, SearchRandom random)
    {
        var matrix = new Matrix(rows, columns);
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                matrix[i, j] = random.Normal();
        }
        return matrix;
    }

    /// <param name="Q">Orthonormal columns.</param>
    /// <param name="Projected">XᵀQ.</param>
    private sealed record Basis(Matrix Q, Matrix Projected)
    {
        public int Width => Q.Columns;

        /// <summary>‖QᵀX‖²_F: what the basis holds of ‖X‖²_F.</summary>
        public double Kept { get; } = SumOfSquares(Projected);
    }
}

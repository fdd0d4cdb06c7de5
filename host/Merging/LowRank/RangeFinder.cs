using Merge.Adapters;
using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>
/// The leading singular triples of an expression, by random projection with subspace iterations (Halko, Martinsson and
/// Tropp, "Finding structure with randomness", arXiv:0909.4061, algorithms 4.4 and 5.1): a few sweeps over the bytes,
/// and never the m×n matrix in memory unless it is small.
/// </summary>
internal static class RangeFinder
{
    private const int Oversampling = 10;
    private const int PowerIterations = 2;
    private const int FirstGuess = 32;

    // Below this the whole matrix and an exact decomposition cost less than sweeps do.
    private const long SmallMatrix = 1 << 16;

    /// <param name="scan">The tensor.</param>
    /// <param name="value">X.</param>
    /// <param name="choice">How much of it is wanted.</param>
    /// <param name="seed">The recipe's: the projection is drawn by seed and tensor.</param>
    public static async ValueTask<TruncatedSvd> Decompose(
        TensorScan scan, Func<Block, TensorExpr> value, RankChoice choice, ulong seed)
    {
        var (rows, columns) = (checked((int)scan.Info.RowCount), checked((int)scan.Info.RowLength));
        var most = Math.Min(rows, columns);
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
        for (var wanted = choice.KeptEnergy is null ? choice.Rank!.Value : Math.Min(choice.Rank ?? FirstGuess, FirstGuess); ;
            wanted *= 2)
        {
            var width = Math.Min(wanted + Oversampling, most);
            var found = await Project(scan, value, width, energy, seed);
            var enough = width == most || wanted >= (choice.Rank ?? int.MaxValue)
                || (choice.KeptEnergy is { } share && found.Sigma.Take(wanted).Sum(s => s * s) >= share * energy);
            if (enough)
                return Cut(found, choice);
        }
    }

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

    private static async ValueTask<TruncatedSvd> Project(
        TensorScan scan, Func<Block, TensorExpr> value, int width, double energy, ulong seed)
    {
        var algebra = scan.LinearAlgebra;
        var q = algebra.Qr(await scan.Product(value, Normal((int)scan.Info.RowLength, width, Philox.KeyOf(seed, scan.Info.Name)))).Q;
        for (var i = 0; i < PowerIterations; i++)
        {
            var z = algebra.Qr(await scan.TransposedProduct(value, q)).Q;
            q = algebra.Qr(await scan.Product(value, z)).Q;
        }
        // QᵀX, as (XᵀQ)ᵀ: its SVD gives X's within the range of Q.
        var small = algebra.Svd(await scan.TransposedProduct(value, q));
        var u = algebra.Multiply(q, small.Vt.Transpose());
        return new(u, small.Sigma, small.U.Transpose(), energy);
    }

    private static Matrix Normal(int rows, int columns, ulong key)
    {
        var random = new SearchRandom(key);
        var matrix = new Matrix(rows, columns);
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                matrix[i, j] = random.Normal();
        }
        return matrix;
    }
}

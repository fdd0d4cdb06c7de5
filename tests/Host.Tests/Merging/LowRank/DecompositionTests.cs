using Host.Tests.Adapters;
using Host.Tests.Compute;
using Merge.Adapters;
using Merge.Compute;
using Merge.Merging.LowRank;
using Merge.Sdk;

namespace Host.Tests.Merging.LowRank;

/// <summary>Truncated decompositions, of tensors by projection and of products by their factors, against dense ones.</summary>
public sealed class DecompositionTests
{
    [Theory]
    [InlineData(40, 60, 5)]
    [InlineData(600, 400, 5)]
    [InlineData(300, 900, 20)]
    [InlineData(2000, 90, 90)]
    public void A_tensor_of_low_rank_is_found_exactly(int rows, int columns, int rank)
    {
        var (left, right) = (WrittenTensors.Random(1, rows * rank), WrittenTensors.Random(2, rank * columns));
        var whole = new float[rows * columns];
        new FactorProduct(new(left, right, rank, columns)).Read(0, whole);
        var svd = Decompose(whole, rows, columns, new(rank, null));
        Assert.Equal(rank, svd.Rank);
        Assert.InRange(Distance(whole, svd), 0, 1e-6);
        Assert.InRange(svd.RelativeError, 0, 1e-5);
        IsOrthonormal(svd);
    }

    [Theory]
    [InlineData(500, 300, 10)]
    [InlineData(300, 700, 40)]
    public void Of_a_tensor_of_full_rank_the_error_is_what_it_says_and_near_the_best(int rows, int columns, int rank)
    {
        // Singular values fall off slowly, as those of fine-tunes do.
        var whole = Decaying(rows, columns);
        var best = Best(whole, rows, columns, rank);
        var svd = Decompose(whole, rows, columns, new(rank, null));
        Assert.Equal(rank, svd.Rank);
        Assert.Equal(Distance(whole, svd), svd.RelativeError, 1e-6);
        Assert.InRange(svd.RelativeError, best - 1e-6, best * 1.01);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.9)]
    [InlineData(0.99)]
    public void An_energy_takes_the_smallest_rank_that_keeps_it(double share)
    {
        var whole = Decaying(400, 300);
        var svd = Decompose(whole, 400, 300, new(null, share));
        Assert.InRange(svd.Kept / svd.Energy, share, 1);
        Assert.InRange(svd.Take(svd.Rank - 1).Kept / svd.Energy, 0, share);
    }

    [Fact]
    public void An_energy_extends_the_basis_it_has()
    {
        // Of full rank: nearly all directions are needed.
        var whole = WrittenTensors.Random(4, 400 * 300);
        var info = new TensorInfo("block.weight", [400, 300], TensorKind.Weight, 0);
        var scan = new TensorScan(info, 0, true, (_, _) => false, new ManagedLinearAlgebra());
        var work = RangeFinder.Decompose(scan, b => b.Base, new(null, 0.9), 3).AsTask();
        var columns = 0;
        var svd = Finish(work, scan, whole, () => columns += scan.Pending.OfType<ProductRequest>().Sum(p => p.Right.Columns));
        Assert.Equal(Distance(whole, svd), svd.RelativeError, 1e-6);
        IsOrthonormal(svd);
        Assert.InRange(svd.Kept / svd.Energy, 0.9, 0.91);
        // Each of the 300 directions is looked for once, and looked at again in two iterations.
        Assert.InRange(columns, 3 * svd.Rank, 3 * 300);
    }

    [Fact]
    public void Zeros_have_no_triples()
    {
        Assert.Equal(0, Decompose(new float[500 * 400], 500, 400, new(8, null)).Rank);
        Assert.Equal(0, Decompose(new float[20], 5, 4, new(8, null)).Rank);
    }

    [Fact]
    public void The_same_seed_and_name_give_the_same_bits_whatever_the_blocks()
    {
        var whole = Decaying(500, 300);
        Assert.Equal(Bits(Decompose(whole, 500, 300, new(7, null), 1)), Bits(Decompose(whole, 500, 300, new(7, null), 9)));

        static string Bits(TruncatedSvd svd) => string.Join(' ', svd.Sigma.Concat(svd.U.Row(3).ToArray()).Select(BitConverter.DoubleToInt64Bits));
    }

    [Theory]
    [InlineData(30, 50, 12, 5)]
    [InlineData(50, 30, 40, 10)]
    public void A_product_is_decomposed_through_its_factors(int rows, int columns, int rank, int kept)
    {
        var factors = new Factors(WrittenTensors.Random(1, rows * rank), WrittenTensors.Random(2, rank * columns), rank, columns);
        var whole = new float[rows * columns];
        new FactorProduct(factors).Read(0, whole);
        var svd = FactorAlgebra.Decompose(factors, new(kept, null), new ManagedLinearAlgebra());
        Assert.Equal(Distance(whole, svd), svd.RelativeError, 1e-5);
        Assert.Equal(Best(whole, rows, columns, kept), svd.RelativeError, 1e-5);
        Assert.InRange(Distance(whole, FactorAlgebra.Decompose(factors, new(rank, null), new ManagedLinearAlgebra())), 0, 1e-6);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(5, 129, 64)]
    [InlineData(17, 71, 3)]
    [InlineData(4, 8, 0)]
    [InlineData(9, 200, 7)]
    public void Any_part_of_a_product_is_chains_of_fused_multiply_adds(int rows, int columns, int rank)
    {
        var (left, right) = (WrittenTensors.Random(1, rows * rank), WrittenTensors.Random(2, rank * columns));
        var there = WrittenTensors.Random(3, rows * columns);
        var panels = new ColumnPanels(right, rank, columns);
        foreach (var (row, column) in new[] { (0, 0), (rows - 1, columns - 1), (rows / 2, columns / 3), (0, Math.Min(64, columns - 1)) })
        {
            foreach (var (height, width) in new[] { (1, 1), (rows - row, columns - column), (rows - row, Math.Min(70, columns - column)) })
            {
                var (part, sums) = (new float[height * width], new float[height * width]);
                for (var i = 0; i < sums.Length; i++)
                    sums[i] = there[((row + (i / width)) * columns) + column + (i % width)];
                LowRankProduct.Compute(left, panels, row, height, column, width, part);
                LowRankProduct.Compute(left, panels, row, height, column, width, sums, add: true);
                for (var i = 0; i < part.Length; i++)
                {
                    var (r, c) = (row + (i / width), column + (i % width));
                    var sum = 0f;
                    for (var k = 0; k < rank; k++)
                        sum = MathF.FusedMultiplyAdd(left[(r * rank) + k], right[(k * columns) + c], sum);
                    Assert.Equal(sum, part[i]);
                    Assert.Equal(there[(r * columns) + c] + sum, sums[i]);
                }
            }
        }
    }

    private static TruncatedSvd Decompose(float[] whole, int rows, int columns, RankChoice choice, ulong cut = 1)
    {
        var info = new TensorInfo("block.weight", [rows, columns], TensorKind.Weight, 0);
        var scan = new TensorScan(info, 0, true, (_, _) => false, new ManagedLinearAlgebra());
        var work = RangeFinder.Decompose(scan, b => b.Base, choice, 3).AsTask();
        return Finish(work, scan, whole, () => cut++, () => cut);
    }

    private static TruncatedSvd Finish(
        Task<TruncatedSvd> work, TensorScan scan, float[] whole, Action each, Func<ulong>? cut = null)
    {
        while (!work.IsCompleted)
        {
            each();
            Sweeps.Complete(scan, [whole], cut?.Invoke() ?? 1);
        }
        return work.Result;
    }

    private static float[] Decaying(int rows, int columns)
    {
        var rank = Math.Min(rows, columns);
        var left = WrittenTensors.Random(1, rows * rank);
        for (var i = 0; i < left.Length; i++)
            left[i] /= 1 + (i % rank);
        var whole = new float[rows * columns];
        new FactorProduct(new(left, WrittenTensors.Random(2, rank * columns), rank, columns)).Read(0, whole);
        return whole;
    }

    private static double Best(float[] whole, int rows, int columns, int rank)
    {
        var sigma = new ManagedLinearAlgebra().Svd(new Matrix(rows, columns, Array.ConvertAll(whole, v => (double)v))).Sigma;
        return Math.Sqrt(sigma.Skip(rank).Sum(s => s * s) / sigma.Sum(s => s * s));
    }

    private static double Distance(float[] whole, TruncatedSvd svd)
    {
        var (error, total) = (0.0, 0.0);
        for (var i = 0; i < svd.U.Rows; i++)
        {
            for (var j = 0; j < svd.Vt.Columns; j++)
            {
                var value = 0.0;
                for (var k = 0; k < svd.Rank; k++)
                    value += svd.U[i, k] * svd.Sigma[k] * svd.Vt[k, j];
                var x = whole[(i * svd.Vt.Columns) + j];
                error += (x - value) * (x - value);
                total += (double)x * x;
            }
        }
        return Math.Sqrt(error / total);
    }

    private static void IsOrthonormal(TruncatedSvd svd)
    {
        for (var a = 0; a < svd.Rank; a++)
        {
            Assert.Equal(1, Enumerable.Range(0, svd.U.Rows).Sum(i => svd.U[i, a] * svd.U[i, a]), 1e-9);
            Assert.Equal(1, svd.Vt.Row(a).ToArray().Sum(v => v * v), 1e-9);
        }
    }
}

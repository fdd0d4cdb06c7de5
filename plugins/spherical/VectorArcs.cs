using Merge.Sdk;

namespace Merge.Plugin.Spherical;

/// <summary>
/// Interpolation of two models, of their task vectors where there is a base, with an angle for each pair of vectors
/// along an axis.
/// </summary>
internal static class VectorArcs
{
    private const double VanishingNorm = 1e-7;

    // Beyond it arc and chord differ by less than float32 shows, and of opposite vectors rounding leaves no sound arc.
    private const double Parallel = 1 - 1e-6;

    /// <summary>The coefficients of x and y, from their products. A vector that vanishes is at a right angle.</summary>
    public static (double First, double Second) Coefficients(double t, double xx, double xy, double yy)
    {
        var lengths = Math.Max(Math.Sqrt(xx), VanishingNorm) * Math.Max(Math.Sqrt(yy), VanishingNorm);
        var cosine = xy / lengths;
        return Math.Abs(cosine) > Parallel ? Arc.Chord(t) : Arc.At(t, Math.Acos(cosine));
    }

    /// <summary>Vectors along the last axis: one angle a row.</summary>
    public static ValueTask<TensorMerge> AlongRows(TensorScan tensor, double t) =>
        Along(tensor, t, tensor.RowSums, (b, values) => b.Rows(values));

    /// <summary>Vectors along the first axis of a matrix: one angle a column.</summary>
    public static ValueTask<TensorMerge> AlongColumns(TensorScan tensor, double t) =>
        Along(tensor, t, tensor.ColumnSums, (b, values) => b.Columns(values));

    /// <summary>
    /// Vectors along the first axis of a tensor of any rank. No statistic gives sums along it, so the dot products are
    /// taken within the merge and every element finds its coefficients again.
    /// </summary>
    public static TensorMerge AlongFirstAxis(TensorScan tensor, double t) => TensorMerge.From(b =>
    {
        var (x, y) = (Vectors(tensor, b)[0], Vectors(tensor, b)[1]);
        return OnBase(tensor, b, b.Map([x, y, x.DotAlong(x, 0), x.DotAlong(y, 0), y.DotAlong(y, 0)], (inputs, output) =>
        {
            for (var e = 0; e < output.Length; e++)
            {
                var (first, second) = Coefficients(t, inputs[2][e], inputs[3][e], inputs[4][e]);
                output[e] = (float)((first * inputs[0][e]) + (second * inputs[1][e]));
            }
        }));
    });

    private static async ValueTask<TensorMerge> Along(
        TensorScan tensor,
        double t,
        Func<Func<Block, TensorExpr>, Stat<double[]>> sums,
        Func<Block, double[], TensorExpr> repeated)
    {
        var dots = await Stat.All(
            [sums(b => Product(b, 0, 0)), sums(b => Product(b, 0, 1)), sums(b => Product(b, 1, 1))]);
        var arcs = dots[0].Select((_, i) => Coefficients(t, dots[0][i], dots[1][i], dots[2][i])).ToArray();
        return TensorMerge.From(b =>
        {
            var (first, second) = (arcs.Select(a => a.First).ToArray(), arcs.Select(a => a.Second).ToArray());
            var v = Vectors(tensor, b);
            return OnBase(tensor, b, (repeated(b, first) * v[0]) + (repeated(b, second) * v[1]));
        });

        TensorExpr Product(Block b, int i, int j) => Vectors(tensor, b)[i] * Vectors(tensor, b)[j];
    }

    private static IReadOnlyList<TensorExpr> Vectors(TensorScan tensor, Block b) =>
        tensor.HasBase ? b.Deltas : b.Models;

    private static TensorExpr OnBase(TensorScan tensor, Block b, TensorExpr merged) =>
        tensor.HasBase ? b.Base + merged : merged;
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Merge.Compute;

/// <summary>
/// Part of L·R in float32, L [m, r] and R [r, n] row-major. Every element is one chain of fused multiply-adds over the
/// rank in order, begun at 0: the same bits at any register width and for any part.
/// </summary>
internal static unsafe class LowRankProduct
{
    // Four rows by four registers: sixteen sums, which leaves registers for what is multiplied.
    private const int RowTile = 4;
    private const int RegisterTile = 4;

    /// <summary>Computes rows [row, row + rows) and columns [column, column + columns).</summary>
    /// <param name="left">m·r numbers.</param>
    /// <param name="right">r·n numbers.</param>
    /// <param name="rank">r; 0 gives zeros.</param>
    /// <param name="width">n.</param>
    /// <param name="row">First row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="column">First column.</param>
    /// <param name="columns">How many.</param>
    /// <param name="into">rows·columns numbers, row-major.</param>
    public static void Compute(
        float[] left, float[] right, int rank, int width, int row, int rows, int column, int columns, Span<float> into)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(into.Length, rows * columns);
        fixed (float* l = left, r = right, t = into)
            Compute(l + ((long)row * rank), r + column, rank, width, rows, columns, t);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compute(float* left, float* right, int rank, int width, int rows, int columns, float* into)
    {
        var column = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; column + (RegisterTile * 16) <= columns; column += RegisterTile * 16)
                Strip512(left, right + column, rank, width, rows, columns, into + column);
        }
        else
        {
            for (; column + (RegisterTile * 8) <= columns; column += RegisterTile * 8)
                Strip256(left, right + column, rank, width, rows, columns, into + column);
        }
        for (; column + 8 <= columns; column += 8)
            Narrow(left, right + column, rank, width, rows, columns, into + column);
        for (; column < columns; column++)
        {
            for (var i = 0; i < rows; i++)
            {
                var sum = 0f;
                for (var k = 0; k < rank; k++)
                    sum = MathF.FusedMultiplyAdd(left[((long)i * rank) + k], right[((long)k * width) + column], sum);
                into[((long)i * columns) + column] = sum;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Strip512(float* left, float* right, int rank, int width, int rows, int columns, float* into)
    {
        var i = 0;
        for (; i + RowTile <= rows; i += RowTile)
        {
            Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
            Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default;
            Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default;
            Vector512<float> d0 = default, d1 = default, d2 = default, d3 = default;
            float* l0 = left + ((long)i * rank), l1 = l0 + rank, l2 = l1 + rank, l3 = l2 + rank;
            var r = right;
            for (var k = 0; k < rank; k++, r += width)
            {
                var (x0, x1, x2, x3) =
                    (Vector512.Load(r), Vector512.Load(r + 16), Vector512.Load(r + 32), Vector512.Load(r + 48));
                var f = Vector512.Create(l0[k]);
                a0 = Vector512.FusedMultiplyAdd(f, x0, a0);
                a1 = Vector512.FusedMultiplyAdd(f, x1, a1);
                a2 = Vector512.FusedMultiplyAdd(f, x2, a2);
                a3 = Vector512.FusedMultiplyAdd(f, x3, a3);
                f = Vector512.Create(l1[k]);
                b0 = Vector512.FusedMultiplyAdd(f, x0, b0);
                b1 = Vector512.FusedMultiplyAdd(f, x1, b1);
                b2 = Vector512.FusedMultiplyAdd(f, x2, b2);
                b3 = Vector512.FusedMultiplyAdd(f, x3, b3);
                f = Vector512.Create(l2[k]);
                c0 = Vector512.FusedMultiplyAdd(f, x0, c0);
                c1 = Vector512.FusedMultiplyAdd(f, x1, c1);
                c2 = Vector512.FusedMultiplyAdd(f, x2, c2);
                c3 = Vector512.FusedMultiplyAdd(f, x3, c3);
                f = Vector512.Create(l3[k]);
                d0 = Vector512.FusedMultiplyAdd(f, x0, d0);
                d1 = Vector512.FusedMultiplyAdd(f, x1, d1);
                d2 = Vector512.FusedMultiplyAdd(f, x2, d2);
                d3 = Vector512.FusedMultiplyAdd(f, x3, d3);
            }
            var t = into + ((long)i * columns);
            Store(t, a0, a1, a2, a3);
            Store(t + columns, b0, b1, b2, b3);
            Store(t + (2L * columns), c0, c1, c2, c3);
            Store(t + (3L * columns), d0, d1, d2, d3);
        }
        for (; i < rows; i++)
        {
            Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
            var l = left + ((long)i * rank);
            var r = right;
            for (var k = 0; k < rank; k++, r += width)
            {
                var f = Vector512.Create(l[k]);
                a0 = Vector512.FusedMultiplyAdd(f, Vector512.Load(r), a0);
                a1 = Vector512.FusedMultiplyAdd(f, Vector512.Load(r + 16), a1);
                a2 = Vector512.FusedMultiplyAdd(f, Vector512.Load(r + 32), a2);
                a3 = Vector512.FusedMultiplyAdd(f, Vector512.Load(r + 48), a3);
            }
            Store(into + ((long)i * columns), a0, a1, a2, a3);
        }
    }

    private static void Store(
        float* into, Vector512<float> x0, Vector512<float> x1, Vector512<float> x2, Vector512<float> x3)
    {
        x0.Store(into);
        x1.Store(into + 16);
        x2.Store(into + 32);
        x3.Store(into + 48);
    }

    // Sixteen registers in all: two rows by four.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Strip256(float* left, float* right, int rank, int width, int rows, int columns, float* into)
    {
        for (var i = 0; i < rows; i += 2)
        {
            Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
            Vector256<float> b0 = default, b1 = default, b2 = default, b3 = default;
            var l0 = left + ((long)i * rank);
            var l1 = i + 1 < rows ? l0 + rank : l0;
            var r = right;
            for (var k = 0; k < rank; k++, r += width)
            {
                var (x0, x1, x2, x3) =
                    (Vector256.Load(r), Vector256.Load(r + 8), Vector256.Load(r + 16), Vector256.Load(r + 24));
                var f = Vector256.Create(l0[k]);
                a0 = Vector256.FusedMultiplyAdd(f, x0, a0);
                a1 = Vector256.FusedMultiplyAdd(f, x1, a1);
                a2 = Vector256.FusedMultiplyAdd(f, x2, a2);
                a3 = Vector256.FusedMultiplyAdd(f, x3, a3);
                f = Vector256.Create(l1[k]);
                b0 = Vector256.FusedMultiplyAdd(f, x0, b0);
                b1 = Vector256.FusedMultiplyAdd(f, x1, b1);
                b2 = Vector256.FusedMultiplyAdd(f, x2, b2);
                b3 = Vector256.FusedMultiplyAdd(f, x3, b3);
            }
            var t = into + ((long)i * columns);
            a0.Store(t);
            a1.Store(t + 8);
            a2.Store(t + 16);
            a3.Store(t + 24);
            if (i + 1 == rows)
                continue;
            t += columns;
            b0.Store(t);
            b1.Store(t + 8);
            b2.Store(t + 16);
            b3.Store(t + 24);
        }
    }

    // What a strip leaves: eight columns at a time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(float* left, float* right, int rank, int width, int rows, int columns, float* into)
    {
        for (var i = 0; i < rows; i++)
        {
            Vector256<float> sum = default;
            var l = left + ((long)i * rank);
            var r = right;
            for (var k = 0; k < rank; k++, r += width)
                sum = Vector256.FusedMultiplyAdd(Vector256.Create(l[k]), Vector256.Load(r), sum);
            sum.Store(into + ((long)i * columns));
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Merge.Compute;

/// <summary>
/// Part of L·R in float32, L [m, r] row-major. Every element is one chain of fused multiply-adds over the rank in order,
/// begun at 0: the same bits at any register width and for any part.
/// </summary>
internal static unsafe class LowRankProduct
{
    // Four rows by four registers: sixteen sums, which leaves registers for what is multiplied.
    private const int RowTile = 4;

    /// <summary>Computes rows [row, row + rows) and columns [column, column + columns).</summary>
    /// <param name="left">m·r numbers.</param>
    /// <param name="right">R.</param>
    /// <param name="row">First row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="column">First column.</param>
    /// <param name="columns">How many.</param>
    /// <param name="into">rows·columns numbers, row-major.</param>
    /// <param name="add">Whether the product is added to what is there (one rounding more) or takes its place.</param>
    public static void Compute(
        float[] left, ColumnPanels right, int row, int rows, int column, int columns, Span<float> into, bool add = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(into.Length, rows * columns);
        fixed (float* l = left, t = into)
        {
            var first = l + ((long)row * right.Rank);
            for (var at = column; at < column + columns;)
            {
                var (panel, skipped) = Math.DivRem(at, ColumnPanels.Width);
                var count = Math.Min(ColumnPanels.Width - skipped, column + columns - at);
                if (count == ColumnPanels.Width)
                    Panel(first, right.Panel(panel), right.Rank, rows, t + at - column, columns, add);
                else
                    PartOfPanel(first, right.Panel(panel), right.Rank, rows, skipped, count, t + at - column, columns, add);
                at += count;
            }
        }
        GC.KeepAlive(right);
    }

    private static void PartOfPanel(
        float* left, float* panel, int rank, int rows, int skipped, int count, float* into, int stride, bool add)
    {
        var tile = stackalloc float[RowTile * ColumnPanels.Width];
        for (var i = 0; i < rows; i += RowTile)
        {
            var some = Math.Min(RowTile, rows - i);
            Panel(left + ((long)i * rank), panel, rank, some, tile, ColumnPanels.Width, add: false);
            for (var r = 0; r < some; r++)
            {
                var from = tile + (r * ColumnPanels.Width) + skipped;
                var to = into + ((long)(i + r) * stride);
                for (var j = 0; j < count; j++)
                    to[j] = add ? to[j] + from[j] : from[j];
            }
        }
    }

    private static void Panel(float* left, float* panel, int rank, int rows, float* into, int stride, bool add)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Panel512(left, panel, rank, rows, into, stride, add);
            return;
        }
        Panel256(left, panel, rank, rows, into, stride, add);
        Panel256(left, panel + (ColumnPanels.Width / 2), rank, rows, into + (ColumnPanels.Width / 2), stride, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel512(float* left, float* panel, int rank, int rows, float* into, int stride, bool add)
    {
        var i = 0;
        for (; i + RowTile <= rows; i += RowTile)
        {
            Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
            Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default;
            Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default;
            Vector512<float> d0 = default, d1 = default, d2 = default, d3 = default;
            float* l0 = left + ((long)i * rank), l1 = l0 + rank, l2 = l1 + rank, l3 = l2 + rank;
            var r = panel;
            for (var k = 0; k < rank; k++, r += ColumnPanels.Width)
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
            var t = into + ((long)i * stride);
            Store(t, a0, a1, a2, a3, add);
            Store(t + stride, b0, b1, b2, b3, add);
            Store(t + (2L * stride), c0, c1, c2, c3, add);
            Store(t + (3L * stride), d0, d1, d2, d3, add);
        }
        for (; i < rows; i++)
        {
            Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
            var l = left + ((long)i * rank);
            var r = panel;
            for (var k = 0; k < rank; k++, r += ColumnPanels.Width)
            {
                var f = Vector512.Create(l[k]);
                a0 = Vector512.FusedMultiplyAdd(f, Vector512.Load(r), a0);
                a1 = Vector512.FusedMultiplyAdd(f, Vector512.Load(r + 16), a1);
                a2 = Vector512.FusedMultiplyAdd(f, Vector512.Load(r + 32), a2);
                a3 = Vector512.FusedMultiplyAdd(f, Vector512.Load(r + 48), a3);
            }
            Store(into + ((long)i * stride), a0, a1, a2, a3, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        float* into, Vector512<float> x0, Vector512<float> x1, Vector512<float> x2, Vector512<float> x3, bool add)
    {
        if (add)
        {
            x0 += Vector512.Load(into);
            x1 += Vector512.Load(into + 16);
            x2 += Vector512.Load(into + 32);
            x3 += Vector512.Load(into + 48);
        }
        x0.Store(into);
        x1.Store(into + 16);
        x2.Store(into + 32);
        x3.Store(into + 48);
    }

    // Sixteen registers in all: two rows by four, half a panel.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel256(float* left, float* panel, int rank, int rows, float* into, int stride, bool add)
    {
        for (var i = 0; i < rows; i += 2)
        {
            Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
            Vector256<float> b0 = default, b1 = default, b2 = default, b3 = default;
            var l0 = left + ((long)i * rank);
            var l1 = i + 1 < rows ? l0 + rank : l0;
            var r = panel;
            for (var k = 0; k < rank; k++, r += ColumnPanels.Width)
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
            var t = into + ((long)i * stride);
            Store(t, a0, a1, a2, a3, add);
            if (i + 1 < rows)
                Store(t + stride, b0, b1, b2, b3, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        float* into, Vector256<float> x0, Vector256<float> x1, Vector256<float> x2, Vector256<float> x3, bool add)
    {
        if (add)
        {
            x0 += Vector256.Load(into);
            x1 += Vector256.Load(into + 8);
            x2 += Vector256.Load(into + 16);
            x3 += Vector256.Load(into + 24);
        }
        x0.Store(into);
        x1.Store(into + 8);
        x2.Store(into + 16);
        x3.Store(into + 24);
    }
}

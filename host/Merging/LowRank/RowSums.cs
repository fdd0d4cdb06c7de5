using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Merge.Merging.LowRank;

/// <summary>Multiples of a row added to another, in float64: one fused multiply-add an element, the same bits at any register width.</summary>
internal static class RowSums
{
    /// <summary>sums += factor · row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(double factor, ReadOnlySpan<double> row, Span<double> sums)
    {
        var rows = MemoryMarshal.Cast<double, Vector<double>>(row);
        var into = MemoryMarshal.Cast<double, Vector<double>>(sums);
        var factors = new Vector<double>(factor);
        for (var i = 0; i < rows.Length; i++)
            into[i] = Vector.FusedMultiplyAdd(factors, rows[i], into[i]);
        for (var i = rows.Length * Vector<double>.Count; i < row.Length; i++)
            sums[i] = Math.FusedMultiplyAdd(factor, row[i], sums[i]);
    }

    /// <inheritdoc cref="AddScaled(double, ReadOnlySpan{double}, Span{double})"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(double factor, ReadOnlySpan<float> row, Span<double> sums)
    {
        var into = MemoryMarshal.Cast<double, Vector<double>>(sums);
        var factors = new Vector<double>(factor);
        var i = 0;
        for (; i <= row.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(row[i..]), out var low, out var high);
            var at = i / Vector<double>.Count;
            into[at] = Vector.FusedMultiplyAdd(factors, low, into[at]);
            into[at + 1] = Vector.FusedMultiplyAdd(factors, high, into[at + 1]);
        }
        for (; i < row.Length; i++)
            sums[i] = Math.FusedMultiplyAdd(factor, row[i], sums[i]);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Merge.Adapters;

/// <summary>ΔW = L·R of one weight, laid out as the weight is stored, scales and weights in L.</summary>
/// <param name="Left">[m, r] row-major.</param>
/// <param name="Right">[r, n] row-major.</param>
/// <param name="Rank">r.</param>
/// <param name="Width">n: elements of a row.</param>
internal sealed record Factors(float[] Left, float[] Right, int Rank, int Width)
{
    /// <summary>Σ w·s·B·A over modules of one weight: their factors side by side, rank Σ r (exact).</summary>
    /// <param name="modules">Each with its weight w; all of one shape.</param>
    public static Factors Of(IReadOnlyList<(AdapterModule Module, double Weight)> modules)
    {
        var shape = modules[0].Module.Shape;
        var (rows, width) = ((int)shape[0], (int)shape.Skip(1).Aggregate(1L, (p, s) => p * s));
        var rank = modules.Sum(m => m.Module.Rank);
        var left = FactorValues.Array(modules[0].Module.Name, (long)rows * rank);
        var right = FactorValues.Array(modules[0].Module.Name, (long)rank * width);
        var first = 0;
        foreach (var (each, share) in modules)
        {
            var (a, b) = (FactorValues.Read(each.A), FactorValues.Read(each.B));
            // Stored transposed, (B·A)ᵀ = Aᵀ·Bᵀ.
            var isTransposed = each.Layout == FactorLayout.Transposed;
            Scale(isTransposed ? a : b, share * each.Scale);
            for (var i = 0; i < rows; i++)
            {
                var row = left.AsSpan((i * rank) + first, each.Rank);
                if (isTransposed)
                {
                    for (var k = 0; k < row.Length; k++)
                        row[k] = a[(k * rows) + i];
                }
                else
                {
                    b.AsSpan(i * each.Rank, each.Rank).CopyTo(row);
                }
            }
            for (var k = 0; k < each.Rank; k++)
            {
                var row = right.AsSpan((first + k) * width, width);
                if (isTransposed)
                {
                    for (var j = 0; j < width; j++)
                        row[j] = b[(j * each.Rank) + k];
                }
                else
                {
                    a.AsSpan(k * width, width).CopyTo(row);
                }
            }
            first += each.Rank;
        }
        return new(left, right, rank, width);
    }

    /// <summary>Multiplies in float64, rounded once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(Span<float> values, double scale)
    {
        if (scale == 1)
            return;
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(values);
        foreach (ref var vector in vectors)
        {
            Vector.Widen(vector, out var low, out var high);
            vector = Vector.Narrow(low * scale, high * scale);
        }
        foreach (ref var value in values[(vectors.Length * Vector<float>.Count)..])
            value = (float)(scale * value);
    }
}

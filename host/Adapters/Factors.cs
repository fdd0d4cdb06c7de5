using Merge.Compute;

namespace Merge.Adapters;

/// <summary>ΔW = L·R of one weight, laid out as the weight is stored, scales and weights in L.</summary>
/// <param name="Left">[m, r] row-major.</param>
/// <param name="Right">[r, n] row-major.</param>
/// <param name="Rank">r.</param>
/// <param name="Width">n: elements of a row.</param>
internal sealed record Factors(float[] Left, float[] Right, int Rank, int Width)
{
    public long Bytes => sizeof(float) * ((long)Left.Length + Right.Length);

    /// <summary>Σ w·s·B·A over modules of one weight: their factors side by side, rank Σ r (exact).</summary>
    /// <param name="modules">Each with its weight w; all of one shape.</param>
    public static Factors Of(IReadOnlyList<(AdapterModule Module, double Weight)> modules)
    {
        var shape = modules[0].Module.Shape;
        var (rows, width) = ((int)shape[0], (int)shape.Skip(1).Aggregate(1L, (p, s) => p * s));
        var rank = modules.Sum(m => m.Module.Rank);
        var (left, right) = (new float[(long)rows * rank], new float[(long)rank * width]);
        var first = 0;
        foreach (var (module, weight) in modules)
        {
            var (a, b) = (FactorValues.Read(module.A), FactorValues.Read(module.B));
            var scale = weight * module.Scale;
            // Stored transposed, (B·A)ᵀ = Aᵀ·Bᵀ.
            var isTransposed = module.Layout == FactorLayout.Transposed;
            for (var i = 0; i < rows; i++)
            {
                for (var k = 0; k < module.Rank; k++)
                {
                    var value = isTransposed ? a[((long)k * rows) + i] : b[((long)i * module.Rank) + k];
                    left[((long)i * rank) + first + k] = (float)(scale * value);
                }
            }
            for (var k = 0; k < module.Rank; k++)
            {
                var row = right.AsSpan((first + k) * width, width);
                if (isTransposed)
                {
                    for (var j = 0; j < width; j++)
                        row[j] = b[((long)j * module.Rank) + k];
                }
                else
                {
                    a.AsSpan(k * width, width).CopyTo(row);
                }
            }
            first += module.Rank;
        }
        return new(left, right, rank, width);
    }

    /// <summary>Elements [start, start + into.Length) of ΔW.</summary>
    public void Read(long start, Span<float> into)
    {
        while (!into.IsEmpty)
        {
            var (row, column) = Math.DivRem(start, Width);
            var rows = column == 0 ? into.Length / Width : 0;
            var columns = rows > 0 ? Width : (int)Math.Min(Width - column, into.Length);
            var count = Math.Max(rows, 1) * columns;
            LowRankProduct.Compute(Left, Right, Rank, Width, (int)row, Math.Max(rows, 1), (int)column, columns, into[..count]);
            into = into[count..];
            start += count;
        }
    }
}

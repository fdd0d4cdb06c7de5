using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>
/// Factors L [m, r] and R [r, n] as a dtype of 16 bits holds them. Of each direction a power of two is moved from one
/// factor to the other first, so that both are of like size: the product stays what it is, and neither overflows nor
/// vanishes where the other has room.
/// </summary>
internal static class FactorRounding
{
    private const int RowsAtOnce = 64;

    /// <summary>Whether a dtype holds less of a number than float32.</summary>
    public static bool IsCoarse(DType dtype) => dtype is DType.F16 or DType.BF16;

    /// <summary>Makes the factors what is stored of them.</summary>
    /// <param name="left">[m, r].</param>
    /// <param name="right">[r, n].</param>
    /// <param name="rank">r, at least 1.</param>
    /// <param name="dtype">What they are written as.</param>
    /// <returns>‖L·R − L'·R'‖_F / ‖L·R‖_F for what is stored, L' and R', through r×r products; 0 for L·R = 0. NaN where
    /// one of them is beyond the dtype.</returns>
    public static double Round(float[] left, float[] right, int rank, DType dtype)
    {
        Balance(left, right, rank);
        var (rows, width) = (left.Length / rank, right.Length / rank);
        var ofLeft = new Products(rank, dtype);
        var part = new float[RowsAtOnce * rank];
        for (var first = 0; first < rows; first += RowsAtOnce)
        {
            var count = Math.Min(RowsAtOnce, rows - first);
            ofLeft.Round(left.AsSpan(first * rank, count * rank), count);
        }
        var ofRight = new Products(rank, dtype);
        for (var first = 0; first < width; first += RowsAtOnce)
        {
            // Columns as rows, and back.
            var count = Math.Min(RowsAtOnce, width - first);
            for (var k = 0; k < rank; k++)
            {
                for (var j = 0; j < count; j++)
                    part[(j * rank) + k] = right[((long)k * width) + first + j];
            }
            ofRight.Round(part.AsSpan(0, count * rank), count);
            for (var k = 0; k < rank; k++)
            {
                for (var j = 0; j < count; j++)
                    right[((long)k * width) + first + j] = part[(j * rank) + k];
            }
        }
        return Error(ofLeft, ofRight, rank);
    }

    // With L = L' + D and R = R' + E: L·R − L'·R' = D·R + L'·E = D·R' + D·E + L'·E, whose squared norm is a sum of
    // traces of r×r products.
    private static double Error(Products left, Products right, int rank)
    {
        var (error, norm) = (0.0, 0.0);
        for (var k = 0; k < rank; k++)
        {
            for (var j = 0; j < rank; j++)
            {
                var (kj, jk) = ((k * rank) + j, (j * rank) + k);
                var wholeLeft = left.Stored[kj] + left.Cross[kj] + left.Cross[jk] + left.Lost[kj];
                var wholeRight = right.Stored[kj] + right.Cross[kj] + right.Cross[jk] + right.Lost[kj];
                norm += wholeLeft * wholeRight;
                // ⟨D·R, D·R⟩ + 2⟨D·R, L'·E⟩ + ⟨L'·E, L'·E⟩; E·Rᵀ = E·R'ᵀ + E·Eᵀ.
                error += (left.Lost[kj] * wholeRight)
                    + (2 * left.Cross[kj] * (right.Cross[jk] + right.Lost[jk]))
                    + (left.Stored[kj] * right.Lost[kj]);
            }
        }
        return norm == 0 ? 0 : Math.Sqrt(Math.Max(0, error) / norm);
    }

    private static void Balance(float[] left, float[] right, int rank)
    {
        var width = right.Length / rank;
        var most = new float[rank];
        for (var i = 0; i < left.Length; i++)
            most[i % rank] = Math.Max(most[i % rank], Math.Abs(left[i]));
        var factors = new double[rank];
        for (var k = 0; k < rank; k++)
        {
            var row = right.AsSpan(k * width, width);
            var other = 0f;
            foreach (var value in row)
                other = Math.Max(other, Math.Abs(value));
            var factor = most[k] == 0 || other == 0 ? 1 : Math.ScaleB(1, (Math.ILogB(most[k]) - Math.ILogB(other)) / 2);
            foreach (ref var value in row)
                value = (float)(factor * value);
            factors[k] = 1 / factor;
        }
        for (var i = 0; i < left.Length; i++)
            left[i] = (float)(factors[i % rank] * left[i]);
    }

    /// <summary>XᵀX, DᵀX and DᵀD for what is stored of some rows, X, and what rounding took of them, D.</summary>
    private sealed class Products(int rank, DType dtype)
    {
        private readonly double[] _stored = new double[RowsAtOnce * rank];
        private readonly double[] _lost = new double[RowsAtOnce * rank];
        private readonly byte[] _bytes = new byte[RowsAtOnce * rank * (dtype.Bits() / 8)];
        private readonly float[] _rounded = new float[RowsAtOnce * rank];

        public double[] Stored { get; } = new double[rank * rank];

        public double[] Cross { get; } = new double[rank * rank];

        public double[] Lost { get; } = new double[rank * rank];

        public void Round(Span<float> values, int count)
        {
            var bytes = _bytes.AsSpan(0, values.Length * (dtype.Bits() / 8));
            StoredValues.Encode(dtype, values, bytes);
            StoredValues.Decode(dtype, bytes, _rounded);
            for (var i = 0; i < values.Length; i++)
            {
                _stored[i] = _rounded[i];
                _lost[i] = (double)values[i] - _rounded[i];
            }
            _rounded.AsSpan(0, values.Length).CopyTo(values);
            Add(Stored, _stored, _stored, count);
            Add(Cross, _lost, _stored, count);
            Add(Lost, _lost, _lost, count);
        }

        private void Add(double[] sums, double[] left, double[] right, int count)
        {
            for (var k = 0; k < rank; k++)
            {
                for (var i = 0; i < count; i++)
                    RowSums.AddScaled(left[(i * rank) + k], right.AsSpan(i * rank, rank), sums.AsSpan(k * rank, rank));
            }
        }
    }
}

using System.Buffers;
using System.Runtime.InteropServices;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>
/// Σ w·s·B·A as one pair of factors, written straight from the adapters' files: all A one below the other as they are, all
/// w·s·B side by side, products in float64 and rounded once.
/// </summary>
/// <param name="context">The merge.</param>
/// <param name="modules">Each with its weight w; all of one layout.</param>
internal sealed class ConcatenatedFactors(MergeContext context, IReadOnlyList<(AdapterModule Module, double Weight)> modules)
{
    // Elements in hand at a time.
    private const int Piece = 1 << 16;

    /// <summary>Σ r.</summary>
    public int Rank { get; } = modules.Sum(m => m.Module.Rank);

    /// <param name="dtype">What it is written as.</param>
    /// <param name="write">Takes bytes from an offset on, in order.</param>
    public void WriteA(DType dtype, Action<long, ReadOnlySpan<byte>> write)
    {
        var size = dtype.Bits() / 8;
        var (values, bytes) = (ArrayPool<float>.Shared.Rent(Piece), ArrayPool<byte>.Shared.Rent(Piece * size));
        var at = 0L;
        foreach (var (module, _) in modules)
        {
            using var reading = new Reading(context, module.A);
            for (var left = module.Rank * module.Inputs; left > 0;)
            {
                var part = values.AsSpan(0, (int)Math.Min(Piece, left));
                reading.Next(part);
                if (dtype == DType.F32)
                {
                    write(at, MemoryMarshal.AsBytes(part));
                }
                else
                {
                    StoredValues.Encode(dtype, part, bytes.AsSpan(0, part.Length * size));
                    write(at, bytes.AsSpan(0, part.Length * size));
                }
                at += (long)part.Length * size;
                left -= part.Length;
            }
        }
        ArrayPool<float>.Shared.Return(values);
        ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <inheritdoc cref="WriteA"/>
    public void WriteB(DType dtype, Action<long, ReadOnlySpan<byte>> write)
    {
        var size = dtype.Bits() / 8;
        var rows = Math.Max(1, Piece / Rank);
        var outputs = modules[0].Module.Outputs;
        var (row, part) = (ArrayPool<float>.Shared.Rent(rows * Rank), ArrayPool<float>.Shared.Rent(rows * modules.Max(m => m.Module.Rank)));
        var bytes = ArrayPool<byte>.Shared.Rent(rows * Rank * size);
        Reading[] readings = [.. modules.Select(m => new Reading(context, m.Module.B))];
        for (var first = 0L; first < outputs; first += rows)
        {
            var count = (int)Math.Min(rows, outputs - first);
            var column = 0;
            foreach (var ((module, weight), reading) in modules.Zip(readings))
            {
                var factor = part.AsSpan(0, count * module.Rank);
                reading.Next(factor);
                Factors.Scale(factor, weight * module.Scale);
                if (!FactorValues.AreFinite(factor))
                    throw StoredModule.Beyond(dtype, module.Name);
                for (var i = 0; i < count; i++)
                    factor.Slice(i * module.Rank, module.Rank).CopyTo(row.AsSpan((i * Rank) + column));
                column += module.Rank;
            }
            var stored = bytes.AsSpan(0, count * Rank * size);
            StoredValues.Encode(dtype, row.AsSpan(0, count * Rank), stored);
            write(first * Rank * size, stored);
        }
        foreach (var reading in readings)
            reading.Dispose();
        ArrayPool<float>.Shared.Return(row);
        ArrayPool<float>.Shared.Return(part);
        ArrayPool<byte>.Shared.Return(bytes);
    }

    /// <summary>A tensor read once from its beginning to its end, checked and checksummed on the way.</summary>
    private sealed class Reading(MergeContext context, TensorSource tensor) : IDisposable
    {
        private readonly bool _owesChecksum = context.Checksums.Claim(tensor);
        private readonly int _size = tensor.DType.Bits() / 8;
        private byte[] _bytes = [];
        private long _at;
        private uint _checksum;

        public void Next(Span<float> values)
        {
            Span<byte> stored;
            if (tensor.DType == DType.F32)
            {
                stored = MemoryMarshal.AsBytes(values);
                tensor.Read(_at, stored);
            }
            else
            {
                if (_bytes.Length < values.Length * _size)
                    _bytes = new byte[values.Length * _size];
                stored = _bytes.AsSpan(0, values.Length * _size);
                tensor.Read(_at, stored);
                StoredValues.Decode(tensor.DType, stored, values);
            }
            FactorValues.Check(tensor, values);
            if (_owesChecksum)
                _checksum = Crc32C.Append(_checksum, stored);
            _at += stored.Length;
            context.Progress.Read(stored.Length);
        }

        public void Dispose()
        {
            if (_owesChecksum && _at == tensor.Length)
                context.Checksums.Set(tensor, _checksum);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Merge.Compute.Cpu;

/// <summary>
/// On which side of a threshold each random number of a tensor lies, a bit an element: what a statistic drew the merge
/// need not draw again. Without memory, or where blocks begin within a byte, numbers are drawn anew: the same.
/// </summary>
/// <param name="count">Elements of the tensor.</param>
internal sealed class DrawMemory(long count) : IDisposable
{
    private readonly Dictionary<(int Stream, float Threshold), Bits> _bits = [];

    /// <summary>Bytes that what was compiled so far could use and has not.</summary>
    public long WishedBytes => _bits.Values.Count(b => !b.HasMemory) * Bits.Bytes(count);

    /// <summary>Takes what it wishes for.</summary>
    public void Allocate()
    {
        foreach (var bits in _bits.Values)
            bits.Allocate();
    }

    /// <summary>
    /// For numbers that are only asked whether they are below a threshold: they, or others on the same sides of it.
    /// </summary>
    public ILeaf Leaf(ulong key, int stream, float threshold)
    {
        if (!_bits.TryGetValue((stream, threshold), out var bits))
            _bits[(stream, threshold)] = bits = new(count);
        return bits.IsComplete ? new RecalledLeaf(bits) : new RecordingLeaf(key, stream, threshold, bits);
    }

    public void Dispose()
    {
        foreach (var bits in _bits.Values)
            bits.Dispose();
    }

    private sealed unsafe class Bits(long count) : IDisposable
    {
        private byte* _memory;

        ~Bits() => NativeMemory.Free(_memory);

        public long Count => count;

        public bool HasMemory => _memory != null;

        /// <summary>Whether every element's bit is known.</summary>
        public bool IsComplete { get; set; }

        public static long Bytes(long count) => (count / 8) + sizeof(ulong);

        public void Allocate()
        {
            if (!HasMemory)
                _memory = (byte*)NativeMemory.Alloc((nuint)Bytes(count));
        }

        public byte* At(long element) => _memory + (element / 8);

        public void Dispose()
        {
            NativeMemory.Free(_memory);
            _memory = null;
            GC.SuppressFinalize(this);
        }
    }

    /// <summary>Draws, and keeps the bits; a pass over the tensor asks it for each element once.</summary>
    private sealed unsafe class RecordingLeaf(ulong key, int stream, float threshold, Bits bits) : ILeaf
    {
        private long _known;

        public void Fill(long start, int count, float* target)
        {
            Philox.Fill(key, stream, start, count, target);
            var endsByte = count % 8 == 0 || start + count == bits.Count;
            if (!bits.HasMemory || start % 8 != 0 || !endsByte)
                return;
            Record(target, count, bits.At(start));
            if (Interlocked.Add(ref _known, count) == bits.Count)
                bits.IsComplete = true;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Record(float* numbers, int count, byte* to)
        {
            var limit = Vector256.Create(threshold);
            for (; count >= 8; count -= 8, numbers += 8)
                *to++ = (byte)Vector256.LessThan(Vector256.Load(numbers), limit).ExtractMostSignificantBits();
            if (count == 0)
                return;
            *to = 0;
            for (var i = 0; i < count; i++)
                *to |= (byte)(numbers[i] < threshold ? 1 << i : 0);
        }
    }

    /// <summary>0 below the threshold, 1 elsewhere. One that is not between them has all numbers on one side.</summary>
    private sealed unsafe class RecalledLeaf(Bits bits) : ILeaf
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Fill(long start, int count, float* target)
        {
            var places = Vector256.Create(1, 2, 4, 8, 16, 32, 64, 128);
            var one = Vector256.Create(1f);
            var from = bits.At(start);
            var (bit, i) = ((int)(start % 8), 0);
            for (; bit != 0 && i < count; i++, bit = (bit + 1) % 8)
                target[i] = 1 - ((*from >> bit) & 1);
            from += start % 8 == 0 ? 0 : 1;
            for (; i <= count - 8; i += 8)
            {
                var isAbove = Vector256.Equals(Vector256.Create((int)*from++) & places, Vector256<int>.Zero);
                (isAbove.AsSingle() & one).Store(target + i);
            }
            for (bit = 0; i < count; i++, bit++)
                target[i] = 1 - ((*from >> bit) & 1);
        }
    }
}

using System.Runtime.CompilerServices;

namespace Merge.Compute.Cpu;

/// <summary>Ranks by a stable radix sort.</summary>
internal static unsafe class RankSort
{
    private const int ShortFiber = 32;

    /// <summary>Bytes of scratch for a fiber.</summary>
    public static long ScratchBytes(long length) => 2 * sizeof(ulong) * length;

    /// <summary>
    /// The rank of every value, ascending from 0; of equal ones the earlier comes first, NaN are last.
    /// </summary>
    /// <param name="values">Read every <paramref name="stride"/> elements.</param>
    /// <param name="ranks">Written every <paramref name="stride"/> elements.</param>
    /// <param name="length">How many.</param>
    /// <param name="stride">Elements from one to the next.</param>
    /// <param name="scratch">See <see cref="ScratchBytes"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rank(float* values, float* ranks, int length, int stride, ulong* scratch)
    {
        for (var i = 0; i < length; i++)
            scratch[i] = ((ulong)ScoreKey.Of(values[(long)i * stride]) << 32) | (uint)i;
        var sorted = length <= ShortFiber ? InsertionSort(scratch, length)
            : length <= 1024 ? RadixSort(scratch, scratch + length, length, 8)
            : RadixSort(scratch, scratch + length, length, 11);
        for (var rank = 0; rank < length; rank++)
            ranks[(long)(uint)sorted[rank] * stride] = rank;
    }

    private static ulong* InsertionSort(ulong* pairs, int length)
    {
        for (var i = 1; i < length; i++)
        {
            var pair = pairs[i];
            var j = i;
            for (; j > 0 && pairs[j - 1] > pair; j--)
                pairs[j] = pairs[j - 1];
            pairs[j] = pair;
        }
        return pairs;
    }

    // Least digit first, by the keys alone: equal keys stay in the order of their indices.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong* RadixSort(ulong* from, ulong* to, int length, int digitBits)
    {
        var digits = (32 + digitBits - 1) / digitBits;
        var size = 1 << digitBits;
        var counts = stackalloc int[digits * size];
        new Span<int>(counts, digits * size).Clear();
        for (var i = 0; i < length; i++)
        {
            var key = (uint)(from[i] >> 32);
            for (var d = 0; d < digits; d++)
                counts[(d * size) + (int)((key >> (d * digitBits)) & (uint)(size - 1))]++;
        }
        for (var d = 0; d < digits; d++)
        {
            var places = counts + (d * size);
            var shift = 32 + (d * digitBits);
            if (places[(int)(from[0] >> shift) & (size - 1)] == length)
                continue;
            var place = 0;
            for (var i = 0; i < size; i++)
                (places[i], place) = (place, place + places[i]);
            for (var i = 0; i < length; i++)
                to[places[(int)(from[i] >> shift) & (size - 1)]++] = from[i];
            var sorted = to;
            to = from;
            from = sorted;
        }
        return from;
    }
}

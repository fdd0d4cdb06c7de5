using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace Merge.Benchmarks;

/// <summary>
/// Weights as a pure function of (seed, model, tensor, element), so that threads and blocks do not matter. Spans are a
/// multiple of <see cref="Lanes"/> long.
/// </summary>
internal static class SyntheticValues
{
    public const int Lanes = 8;
    private const float Deviation = 0.02f;

    /// <summary>A key for one tensor of one model.</summary>
    public static ulong Key(ulong seed, int model, string tensor)
    {
        // FNV-1a, then SplitMix64's finaliser.
        var key = 0xCBF29CE484222325 ^ seed;
        foreach (var part in (byte[])[.. BitConverter.GetBytes(model), .. Encoding.UTF8.GetBytes(tensor)])
            key = (key ^ part) * 0x100000001B3;
        key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9;
        key = (key ^ (key >> 27)) * 0x94D049BB133111EB;
        return key ^ (key >> 31);
    }

    /// <summary>
    /// The base: about N(0, 0.02²) as the sum of four uniform numbers, so never beyond 3.5 deviations.
    /// </summary>
    public static void Base(ulong key, long first, Span<float> values)
    {
        const float Scale = Deviation * 1.7320508f / 65536;
        ref var to = ref MemoryMarshal.GetReference(values);
        for (var i = 0; i < values.Length; i += Lanes)
        {
            var one = Bits(first + i, key);
            var two = Bits(first + i, ~key);
            var low = Vector256.Create(0xFFFFu);
            var sum = (one & low) + (one >> 16) + (two & low) + (two >> 16);
            var centred = sum.AsInt32() - Vector256.Create(2 * 65536);
            (Scale * Vector256.ConvertToSingle(centred)).StoreUnsafe(ref to, (nuint)i);
        }
    }

    /// <summary>
    /// A fine-tune: one element in four moves, the root mean square of all moves being 1e-3 of the base's deviation.
    /// Rounded to 16 bits, many of the moves vanish and many of the others tie, as in real fine-tunes.
    /// </summary>
    public static void FineTune(ulong key, long first, ReadOnlySpan<float> start, Span<float> values)
    {
        // Uniform within ±a has the mean square a²/3; a quarter of the elements move.
        const float Scale = Deviation * 1e-3f * 3.4641016f / (1 << 23);
        ref var from = ref MemoryMarshal.GetReference(start);
        ref var to = ref MemoryMarshal.GetReference(values);
        for (var i = 0; i < values.Length; i += Lanes)
        {
            var bits = Bits(first + i, key);
            var moves = Vector256.Equals(bits & Vector256.Create(3u), Vector256<uint>.Zero).AsSingle();
            var centred = (bits >> 8).AsInt32() - Vector256.Create(1 << 23);
            var delta = moves & (Scale * Vector256.ConvertToSingle(centred));
            (Vector256.LoadUnsafe(ref from, (nuint)i) + delta).StoreUnsafe(ref to, (nuint)i);
        }
    }

    // A 32-bit finaliser (Wellons' lowbias32) of eight consecutive elements, keyed twice: with one key, two tensors
    // would be shifted copies of each other.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Bits(long element, ulong key)
    {
        var x = (Vector256.Create((uint)element) + Vector256<uint>.Indices) ^ Vector256.Create((uint)key);
        x = (x ^ (x >> 16)) * Vector256.Create(0x7FEB352Du);
        x ^= Vector256.Create((uint)(key >> 32) ^ (uint)(element >> 32));
        x = (x ^ (x >> 15)) * Vector256.Create(0x846CA68Bu);
        return x ^ (x >> 16);
    }
}

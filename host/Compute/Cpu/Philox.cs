using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Merge.Compute.Cpu;

/// <summary>
/// The counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
/// Element e of a stream is word e mod 4 of counter (e / 4, stream).
/// </summary>
internal static unsafe class Philox
{
    private const uint MultiplierA = 0xD2511F53;
    private const uint MultiplierB = 0xCD9E8D57;
    private const uint WeylA = 0x9E3779B9;
    private const uint WeylB = 0xBB67AE85;
    private const int Rounds = 10;
    private const float Scale = 1f / (1 << 24);

    /// <summary>The key of a tensor: FNV-1a over the seed and the name's UTF-8 bytes, then mixed.</summary>
    public static ulong KeyOf(ulong seed, string tensorName)
    {
        var hash = 0xCBF29CE484222325UL;
        for (var i = 0; i < sizeof(ulong); i++)
            hash = (hash ^ (byte)(seed >> (8 * i))) * 0x100000001B3;
        foreach (var letter in Encoding.UTF8.GetBytes(tensorName))
            hash = (hash ^ letter) * 0x100000001B3;
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
        return hash ^ (hash >> 31);
    }

    /// <summary>Four words for a counter and a key: the definition.</summary>
    public static (uint X, uint Y, uint Z, uint W) Words((uint X, uint Y, uint Z, uint W) counter, ulong key)
    {
        var (x, y, z, w) = counter;
        var (a, b) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            var p = (ulong)MultiplierA * x;
            var q = (ulong)MultiplierB * z;
            (x, y, z, w) = ((uint)(q >> 32) ^ y ^ a, (uint)q, (uint)(p >> 32) ^ w ^ b, (uint)p);
            a += WeylA;
            b += WeylB;
        }
        return (x, y, z, w);
    }

    /// <summary>Uniform numbers in [0, 1) of elements [start, start + count).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill(ulong key, int stream, long start, int count, float* target)
    {
        var block = Avx512F.IsSupported ? 32 : 4;
        var numbers = stackalloc float[32];
        var keys = stackalloc ulong[Avx512F.IsSupported ? 2 * Rounds * Vector512<ulong>.Count : 0];
        if (Avx512F.IsSupported)
            Schedule(key, keys);
        for (var element = start & ~3L; element < start + count; element += block)
        {
            var inside = element >= start && element + block <= start + count;
            var place = inside ? target + (element - start) : numbers;
            if (Avx512F.IsSupported)
                Fill32(keys, stream, element / 4, place);
            else
                Fill4(key, stream, element / 4, place);
            if (inside)
                continue;
            var first = Math.Max(element, start);
            var end = Math.Min(element + block, start + count);
            var part = new Span<float>(numbers + (first - element), (int)(end - first));
            part.CopyTo(new(target + (first - start), part.Length));
        }
    }

    private static void Fill4(ulong key, int stream, long counter, float* target)
    {
        var (x, y, z, w) = Words(((uint)counter, (uint)(counter >> 32), (uint)stream, 0), key);
        target[0] = (x >> 8) * Scale;
        target[1] = (y >> 8) * Scale;
        target[2] = (z >> 8) * Scale;
        target[3] = (w >> 8) * Scale;
    }

    // Each round's keys in every lane: loaded, they cost less than broadcast anew for every block.
    private static void Schedule(ulong key, ulong* keys)
    {
        var (a, b) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Rounds; round++)
        {
            Vector512.Create((ulong)a).Store(keys + (2 * round * Vector512<ulong>.Count));
            Vector512.Create((ulong)b).Store(keys + (((2 * round) + 1) * Vector512<ulong>.Count));
            a += WeylA;
            b += WeylB;
        }
    }

    // Eight counters, a word in the low half of each 64-bit lane: the form the widening multiplication takes. It does
    // not look at the upper halves, so what is left there is cleared only at the end.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Fill32(ulong* keys, int stream, long counter, float* target)
    {
        var x = Vector512.Create((ulong)counter) + Vector512<ulong>.Indices;
        var y = x >>> 32;
        var z = Vector512.Create((ulong)(uint)stream);
        var w = Vector512<ulong>.Zero;
        var (multiplierA, multiplierB) = (Vector512.Create(MultiplierA), Vector512.Create(MultiplierB));
        for (var key = keys; key < keys + (2 * Rounds * Vector512<ulong>.Count); key += 2 * Vector512<ulong>.Count)
        {
            var p = Avx512F.Multiply(x.AsUInt32(), multiplierA);
            var q = Avx512F.Multiply(z.AsUInt32(), multiplierB);
            x = (q >>> 32) ^ y ^ Vector512.Load(key);
            y = q;
            z = (p >>> 32) ^ w ^ Vector512.Load(key + Vector512<ulong>.Count);
            w = p;
        }
        var low = Vector512.Create(0xFFFFFFFFUL);
        var xy = (x & low) | (y << 32);
        var zw = (z & low) | (w << 32);
        var first = Avx512F.PermuteVar8x64x2(xy, Vector512.Create(0UL, 8, 1, 9, 2, 10, 3, 11), zw);
        var second = Avx512F.PermuteVar8x64x2(xy, Vector512.Create(4UL, 12, 5, 13, 6, 14, 7, 15), zw);
        ToNumbers(first).Store(target);
        ToNumbers(second).Store(target + Vector512<float>.Count);
    }

    private static Vector512<float> ToNumbers(Vector512<ulong> words) =>
        Vector512.ConvertToSingle((words.AsUInt32() >>> 8).AsInt32()) * Vector512.Create(Scale);
}

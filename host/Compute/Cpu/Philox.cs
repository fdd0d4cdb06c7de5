using System.Runtime.CompilerServices;
using System.Text;

namespace Merge.Compute.Cpu;

/// <summary>
/// The counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
/// Element e of a stream is word e mod 4 of counter (e / 4, stream).
/// </summary>
internal static unsafe class Philox
{
    internal const uint MultiplierA = 0xD2511F53;
    internal const uint MultiplierB = 0xCD9E8D57;
    internal const uint WeylA = 0x9E3779B9;
    internal const uint WeylB = 0xBB67AE85;
    internal const int Rounds = 10;
    internal const float Scale = 1f / (1 << 24);

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
    [SkipLocalsInit]
    public static void Fill(ulong key, int stream, long start, int count, float* target)
    {
        var aside = stackalloc float[Philox512.Elements];
        var end = start + count;
        var isWide = Philox512.IsSupported && start / 4 >> 32 == (end + Philox512.Elements) / 4 >> 32;
        var block = isWide ? Philox512.Elements : 4;
        for (var element = start & ~3L; element < end;)
        {
            // What does not begin or end with a block is taken from one aside.
            var whole = element < start ? 0 : (int)((end - element) / block);
            var place = whole > 0 ? target + (element - start) : aside;
            var times = Math.Max(whole, 1);
            if (isWide)
                Philox512.Fill(key, stream, element / 4, place, times);
            else
                Fill(key, stream, element / 4, place, times);
            if (whole == 0)
            {
                var first = Math.Max(element, start);
                var part = new Span<float>(aside + (first - element), (int)(Math.Min(element + block, end) - first));
                part.CopyTo(new(target + (first - start), part.Length));
            }
            element += (long)times * block;
        }
    }

    private static void Fill(ulong key, int stream, long counter, float* target, int times)
    {
        for (var end = target + (4L * times); target < end; counter++)
        {
            var (x, y, z, w) = Words(((uint)counter, (uint)(counter >> 32), (uint)stream, 0), key);
            *target++ = (x >> 8) * Scale;
            *target++ = (y >> 8) * Scale;
            *target++ = (z >> 8) * Scale;
            *target++ = (w >> 8) * Scale;
        }
    }
}

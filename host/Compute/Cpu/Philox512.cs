using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Merge.Compute.Cpu;

/// <summary>
/// <see cref="Philox"/> in 512-bit registers, 32 counters at a time: a round waits for two multiplications, so four
/// groups of eight counters take turns.
/// </summary>
internal static unsafe class Philox512
{
    /// <summary>Elements made at a time.</summary>
    public const int Elements = 4 * 4 * Lanes;

    private const int Lanes = 8;
    private const int KeysOfRound = 2 * Lanes;

    public static bool IsSupported => Avx512F.IsSupported;

    /// <summary>
    /// Uniform numbers in [0, 1) of <paramref name="times"/> · <see cref="Elements"/> elements, all of whose counters
    /// have the same upper half.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static void Fill(ulong key, int stream, long counter, float* target, int times)
    {
        var keys = stackalloc ulong[Philox.Rounds * KeysOfRound];
        Schedule(key, keys);
        var multiplierA = Vector512.Create((ulong)Philox.MultiplierA);
        var multiplierB = Vector512.Create((ulong)Philox.MultiplierB);

        // Half of the first two rounds is the same for all: the product of the stream, and that of the x it gives.
        var ofStream = (ulong)Philox.MultiplierB * (uint)stream;
        var x = (uint)(ofStream >> 32) ^ (uint)(counter >> 32) ^ (uint)keys[0];
        var ofX = (ulong)Philox.MultiplierA * x;
        var keyZ = Vector512.Load(keys + Lanes);
        var keyX = Vector512.Load(keys + KeysOfRound) ^ Vector512.Create(ofStream);
        var keyOfBoth = Vector512.Load(keys + KeysOfRound + Lanes) ^ Vector512.Create(ofX >> 32);
        var begun = new Group(default, default, keyOfBoth, Vector512.Create(ofX));

        var counters = Vector512.Create((ulong)(uint)counter) + Vector512<ulong>.Indices;
        for (var end = target + ((long)times * Elements); target < end; target += Elements)
        {
            var a = begun.Begin(ref counters, keyX, keyZ, multiplierA, multiplierB);
            var b = begun.Begin(ref counters, keyX, keyZ, multiplierA, multiplierB);
            var c = begun.Begin(ref counters, keyX, keyZ, multiplierA, multiplierB);
            var d = begun.Begin(ref counters, keyX, keyZ, multiplierA, multiplierB);
            for (var round = 2; round < Philox.Rounds; round += 2)
            {
                var here = keys + (round * KeysOfRound);
                a = a.TwoRounds(here, multiplierA, multiplierB);
                b = b.TwoRounds(here, multiplierA, multiplierB);
                c = c.TwoRounds(here, multiplierA, multiplierB);
                d = d.TwoRounds(here, multiplierA, multiplierB);
            }
            a.Store(target);
            b.Store(target + (Elements / 4));
            c.Store(target + (Elements / 2));
            d.Store(target + (Elements * 3 / 4));
        }
    }

    // Each round's keys in every lane: loaded, they cost less than broadcast anew for every block.
    private static void Schedule(ulong key, ulong* keys)
    {
        var (a, b) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < Philox.Rounds; round++)
        {
            Vector512.Create((ulong)a).Store(keys + (round * KeysOfRound));
            Vector512.Create((ulong)b).Store(keys + (round * KeysOfRound) + Lanes);
            a += Philox.WeylA;
            b += Philox.WeylB;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Multiply(Vector512<ulong> a, Vector512<ulong> b) =>
        Avx512F.Multiply(a.AsUInt32(), b.AsUInt32());

    /// <summary>
    /// The four words of eight counters, a word in the low half of each 64-bit lane: the form the widening
    /// multiplication takes. It does not look at the upper halves, so what is left there is cleared only at the end.
    /// </summary>
    private readonly struct Group(Vector512<ulong> x, Vector512<ulong> y, Vector512<ulong> z, Vector512<ulong> w)
    {
        private readonly Vector512<ulong> _x = x;
        private readonly Vector512<ulong> _y = y;
        private readonly Vector512<ulong> _z = z;
        private readonly Vector512<ulong> _w = w;

        /// <summary>The next eight counters after two rounds.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Group Begin(
            ref Vector512<ulong> counters, Vector512<ulong> keyX, Vector512<ulong> keyZ,
            Vector512<ulong> multiplierA, Vector512<ulong> multiplierB)
        {
            var p = Multiply(counters, multiplierA);
            var q = Multiply((p >>> 32) ^ keyZ, multiplierB);
            counters += Vector512.Create((ulong)Lanes);
            return new((q >>> 32) ^ keyX, q, p ^ _z, _w);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Group TwoRounds(ulong* keys, Vector512<ulong> multiplierA, Vector512<ulong> multiplierB)
        {
            var p = Multiply(_x, multiplierA);
            var q = Multiply(_z, multiplierB);
            var x = (q >>> 32) ^ _y ^ Vector512.Load(keys);
            var z = (p >>> 32) ^ _w ^ Vector512.Load(keys + Lanes);
            var r = Multiply(x, multiplierA);
            var s = Multiply(z, multiplierB);
            return new(
                (s >>> 32) ^ q ^ Vector512.Load(keys + KeysOfRound),
                s,
                (r >>> 32) ^ p ^ Vector512.Load(keys + KeysOfRound + Lanes),
                r);
        }

        /// <summary>Numbers of 32 elements.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(float* target)
        {
            var low = Vector512.Create(0xFFFFFFFFUL);
            var xy = (_x & low) | (_y << 32);
            var zw = (_z & low) | (_w << 32);
            var first = Avx512F.PermuteVar8x64x2(xy, Vector512.Create(0UL, 8, 1, 9, 2, 10, 3, 11), zw);
            var second = Avx512F.PermuteVar8x64x2(xy, Vector512.Create(4UL, 12, 5, 13, 6, 14, 7, 15), zw);
            ToNumbers(first).Store(target);
            ToNumbers(second).Store(target + Vector512<float>.Count);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<float> ToNumbers(Vector512<ulong> words) =>
            Vector512.ConvertToSingle((words.AsUInt32() >>> 8).AsInt32()) * Vector512.Create(Philox.Scale);
    }
}

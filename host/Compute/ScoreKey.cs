using System.Numerics;
using System.Runtime.CompilerServices;

namespace Merge.Compute;

/// <summary>
/// A score as an unsigned integer of the same order: -0 equal to +0, every NaN equal and above all.
/// </summary>
internal static class ScoreKey
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Of(float score)
    {
        var bits = BitConverter.SingleToUInt32Bits(score + 0f);
        var key = (int)bits < 0 ? ~bits : bits | 0x80000000;
        return float.IsNaN(score) ? uint.MaxValue : key;
    }

    /// <summary>A score with this key; the canonical one of those that are equal.</summary>
    public static float ToScore(uint key) => key == uint.MaxValue
        ? float.NaN
        : BitConverter.UInt32BitsToSingle((key & 0x80000000) != 0 ? key & 0x7fffffff : ~key);

    /// <summary>The keys of <paramref name="count"/> scores.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe void Of(float* scores, int count, uint* keys)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var score = Vector.Load(scores + i) + Vector<float>.Zero;
            var bits = Vector.AsVectorInt32(score);
            var key = bits ^ (Vector.ShiftRightArithmetic(bits, 31) | new Vector<int>(int.MinValue));
            key = Vector.ConditionalSelect(Vector.Equals(score, score), key, Vector<int>.AllBitsSet);
            Vector.Store(key, (int*)keys + i);
        }
        for (; i < count; i++)
            keys[i] = Of(scores[i]);
    }
}

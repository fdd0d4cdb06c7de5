namespace Merge.Samples.Digits;

/// <summary>
/// Counter-based random numbers: a pure function of (seed, stream, index), so a draw does not depend on what was drawn
/// before it or by which thread.
/// </summary>
internal static class CounterRandom
{
    /// <summary>A number in [0, 1) with 24 random bits.</summary>
    public static float Uniform(ulong seed, ulong stream, ulong index) =>
        (Bits(seed, stream, index) >> 40) * (1f / (1 << 24));

    /// <summary>A number in [0, <paramref name="bound"/>).</summary>
    public static int Below(int bound, ulong seed, ulong stream, ulong index) =>
        (int)Math.BigMul(Bits(seed, stream, index), (ulong)bound, out _);

    /// <summary>A permutation of 0 … <paramref name="count"/> − 1 (Fisher and Yates).</summary>
    public static int[] Permutation(int count, ulong seed, ulong stream)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
        {
            var j = Below(i + 1, seed, stream, (ulong)i);
            order[i] = order[j];
            order[j] = i;
        }

        return order;
    }

    private static ulong Bits(ulong seed, ulong stream, ulong index) => Mix(Mix(Mix(seed) ^ stream) ^ index);

    // One step of SplitMix64 (Steele, Lea, Flood 2014).
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}

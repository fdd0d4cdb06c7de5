namespace Merge.Sdk;

/// <summary>
/// The random numbers of a search: draw n of a seed is the same everywhere. Its whole state is
/// (<see cref="Seed"/>, <see cref="Draws"/>). Mixes seed and counter by SplitMix64 (Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", 2014).
/// </summary>
public sealed class SearchRandom(ulong seed)
{
    /// <summary>The seed.</summary>
    public ulong Seed { get; } = seed;

    /// <summary>How many numbers were drawn.</summary>
    public long Draws { get; private set; }

    /// <summary>A number in [0, 1) with 53 random bits; one draw.</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>A number of the standard normal distribution, by Box and Muller; two draws.</summary>
    public double Normal()
    {
        // 1 − u: in (0, 1], whose logarithm is finite.
        var radius = Math.Sqrt(-2 * Math.Log(1 - Uniform()));
        return radius * Math.Cos(2 * Math.PI * Uniform());
    }

    /// <summary>A whole number in [0, <paramref name="bound"/>); one draw.</summary>
    /// <param name="bound">At least 1.</param>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        return (int)Math.BigMul(Next(), (ulong)bound, out _);
    }

    private ulong Next() => Mix(Mix(Seed) ^ (ulong)Draws++);

    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}

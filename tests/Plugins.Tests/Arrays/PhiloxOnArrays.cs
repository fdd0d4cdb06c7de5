using System.Text;

namespace Plugins.Tests.Arrays;

/// <summary>
/// Philox4x32-10, one element at a time: element e of a stream is word e mod 4 of counter (e / 4, stream); the key
/// mixes seed and tensor name.
/// </summary>
internal static class PhiloxOnArrays
{
    public static float[] Uniform(ulong seed, string tensor, int stream, int count)
    {
        var key = Key(seed, tensor);
        return [.. Enumerable.Range(0, count).Select(e => (Word(key, stream, e) >> 8) / 16777216f)];
    }

    private static uint Word(ulong key, int stream, int element)
    {
        var (a, b, c, d) = ((uint)element / 4, 0u, (uint)stream, 0u);
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        for (var round = 0; round < 10; round++, k0 += 0x9E3779B9, k1 += 0xBB67AE85)
        {
            var (p0, p1) = (0xD2511F53UL * a, 0xCD9E8D57UL * c);
            (a, b, c, d) = ((uint)(p1 >> 32) ^ b ^ k0, (uint)p1, (uint)(p0 >> 32) ^ d ^ k1, (uint)p0);
        }
        return (element % 4) switch { 0 => a, 1 => b, 2 => c, _ => d };
    }

    /// <summary>FNV-1a over the seed's eight bytes and the name's UTF-8, then SplitMix64's finaliser.</summary>
    private static ulong Key(ulong seed, string tensor)
    {
        var hash = BitConverter.GetBytes(seed).Concat(Encoding.UTF8.GetBytes(tensor))
            .Aggregate(0xCBF29CE484222325UL, (h, b) => (h ^ b) * 0x100000001B3);
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
        return hash ^ (hash >> 31);
    }
}

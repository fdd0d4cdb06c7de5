using Merge.Compute.Cpu;

namespace Host.Tests.Compute.Gpu;

/// <summary>Float32 numbers of every kind, the same each time.</summary>
internal static class Numbers
{
    private static readonly uint[] Special =
    [
        0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc01234, 0x7f800001, 0x00000001, 0x80000001,
        0x007fffff, 0x00800000, 0x3f800000, 0xbf800000, 0x3f000000, 0x7f7fffff, 0xff7fffff, 0x477fe000, 0x477fefff,
        0x477ff000, 0x33000000, 0x33000001, 0x387fffff, 0x38800000, 0x387fe000, 0x3f7fffff, 0x3f800001, 0x42b17218,
        0xc2cff1b5, 0x3f3504f3, 0x3f3504f4,
    ];

    /// <summary>Any bits.</summary>
    public static float[] Any(int count, ulong key = 1) => Make(count, key, (word, i) => i % 3 == 0
        ? BitConverter.UInt32BitsToSingle(Special[word % (uint)Special.Length])
        : BitConverter.UInt32BitsToSingle(word));

    /// <summary>Weights: about normal, near 0.02, bfloat16 so that many are equal; with a few special ones if asked for.</summary>
    public static float[] Weights(int count, ulong key = 1, bool withSpecial = false) => Make(count, key, (word, i) =>
    {
        if (withSpecial && word % 97 == 0)
            return BitConverter.UInt32BitsToSingle(Special[(word >> 8) % (uint)Special.Length]);
        var sum = (word & 255) + ((word >> 8) & 255) + ((word >> 16) & 255) + (word >> 24);
        var value = word % 5 == 0 ? 0f : (sum - 510f) * 1.1e-4f;
        return BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(value) & 0xffff0000);
    });

    /// <summary>Bits, every NaN alike.</summary>
    public static uint[] Bits(IEnumerable<float> values) =>
        [.. values.Select(v => float.IsNaN(v) ? 0x7fc00000 : BitConverter.SingleToUInt32Bits(v))];

    /// <summary>Bits, every NaN alike.</summary>
    public static ulong[] Bits(IEnumerable<double> values) =>
        [.. values.Select(v => double.IsNaN(v) ? 0x7ff8000000000000 : BitConverter.DoubleToUInt64Bits(v))];

    private static float[] Make(int count, ulong key, Func<uint, int, float> of)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = of(Philox.Words(((uint)i, 0, 0, 0), key).X, i);
        return values;
    }
}

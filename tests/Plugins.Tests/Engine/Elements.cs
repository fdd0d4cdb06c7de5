using System.Runtime.InteropServices;
using Merge.Sdk;

namespace Plugins.Tests.Engine;

/// <summary>float32 arrays to bytes of a dtype and back, one element at a time by the runtime's own conversions.</summary>
internal static class Elements
{
    public static byte[] Encode(DType dtype, float[] values) => dtype switch
    {
        DType.F64 => Bytes(values, v => (double)v),
        DType.F32 => Bytes(values, v => v),
        DType.F16 => Bytes(values, v => (Half)v),
        DType.BF16 => Bytes(values, Upper),
        _ => throw new NotSupportedException($"{dtype}"),
    };

    public static float[] Decode(DType dtype, byte[] bytes) => dtype switch
    {
        DType.F64 => Values<double>(bytes, v => (float)v),
        DType.F32 => Values<float>(bytes, v => v),
        DType.F16 => Values<Half>(bytes, v => (float)v),
        DType.BF16 => Values<ushort>(bytes, v => BitConverter.UInt32BitsToSingle((uint)v << 16)),
        _ => throw new NotSupportedException($"{dtype}"),
    };

    /// <summary>The values as they come back from a file of that dtype.</summary>
    public static float[] Round(DType dtype, float[] values) => Decode(dtype, Encode(dtype, values));

    // Nearest, ties to even; the values here are finite.
    private static ushort Upper(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static byte[] Bytes<T>(float[] values, Func<float, T> convert)
        where T : unmanaged => MemoryMarshal.AsBytes<T>(values.Select(convert).ToArray()).ToArray();

    private static float[] Values<T>(byte[] bytes, Func<T, float> convert)
        where T : unmanaged => [.. MemoryMarshal.Cast<byte, T>(bytes).ToArray().Select(convert)];
}

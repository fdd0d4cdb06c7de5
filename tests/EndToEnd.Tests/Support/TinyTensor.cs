using System.Buffers.Binary;

namespace EndToEnd.Tests.Support;

/// <summary>A tensor in memory: written here without any of the host's code.</summary>
internal sealed record TinyTensor(string Name, string DType, long[] Shape, byte[] Bytes)
{
    /// <summary>Encodes values, rounding to nearest even.</summary>
    public static TinyTensor Of(string dtype, string name, long[] shape, params double[] values)
    {
        Assert.Equal(shape.Aggregate(1L, (n, size) => n * size), values.Length);
        return new(name, dtype, shape, [.. values.SelectMany(v => Encode(dtype, v))]);
    }

    /// <summary>
    /// A tensor of multiples of 1/512 in [-4, 4) that look random: exact in float32, and so are their sums with weights
    /// such as 1/4, in any order.
    /// </summary>
    public static TinyTensor Pattern(string dtype, string name, long[] shape, int seed)
    {
        var count = (int)shape.Aggregate(1L, (n, size) => n * size);
        var values = Enumerable.Range(0, count).Select(i => ((Scramble((uint)i, (uint)seed) >> 20) / 512.0) - 4);
        return Of(dtype, name, shape, [.. values]);
    }

    /// <summary>Bytes of one element.</summary>
    public static int SizeOf(string dtype) => dtype switch
    {
        "F64" or "I64" => 8,
        "F32" or "I32" => 4,
        "F16" or "BF16" => 2,
        _ => 1,
    };

    /// <summary>The values, decoded.</summary>
    public double[] Values => [.. Bytes.Chunk(SizeOf(DType)).Select(b => Decode(DType, b))];

    private static uint Scramble(uint index, uint seed)
    {
        var x = (index * 0x9E3779B1) + (seed * 0x85EBCA77);
        x = (x ^ (x >> 15)) * 0x2C1B3C6D;
        return x ^ (x >> 12);
    }

    private static byte[] Encode(string dtype, double value)
    {
        var bytes = new byte[SizeOf(dtype)];
        switch (dtype)
        {
            case "F64": BinaryPrimitives.WriteDoubleLittleEndian(bytes, value); break;
            case "F32": BinaryPrimitives.WriteSingleLittleEndian(bytes, (float)value); break;
            case "F16": BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)(float)value); break;
            case "BF16":
                var bits = BitConverter.SingleToUInt32Bits((float)value);
                BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16));
                break;
            case "I64": BinaryPrimitives.WriteInt64LittleEndian(bytes, (long)value); break;
            case "I32": BinaryPrimitives.WriteInt32LittleEndian(bytes, (int)value); break;
            default: bytes[0] = (byte)value; break;
        }
        return bytes;
    }

    private static double Decode(string dtype, byte[] bytes) => dtype switch
    {
        "F64" => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        "F32" => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        "F16" => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        "BF16" => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
        "I64" => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        "I32" => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        _ => bytes[0],
    };
}

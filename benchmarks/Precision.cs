using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Merge.Benchmarks;

/// <summary>A dtype to generate in: its names, its size, its encoding (round to nearest, ties to even).</summary>
internal sealed record Precision(string SafetensorsName, string TorchName, int Bytes)
{
    public static IReadOnlyDictionary<string, Precision> ByName { get; } = new Dictionary<string, Precision>
    {
        ["bf16"] = new("BF16", "bfloat16", 2),
        ["f16"] = new("F16", "float16", 2),
        ["f32"] = new("F32", "float32", 4),
    };

    /// <summary>Encodes finite values, little-endian.</summary>
    public void Encode(ReadOnlySpan<float> values, Span<byte> bytes)
    {
        if (this == ByName["bf16"])
        {
            EncodeBFloat16(MemoryMarshal.Cast<float, uint>(values), MemoryMarshal.Cast<byte, ushort>(bytes));
            return;
        }

        for (var i = 0; i < values.Length; i++)
        {
            var at = bytes[(i * Bytes)..];
            if (Bytes == 4)
                BinaryPrimitives.WriteSingleLittleEndian(at, values[i]);
            else
                BinaryPrimitives.WriteHalfLittleEndian(at, (Half)values[i]);
        }
    }

    // The dtype that gigabytes are made of. The machine is little-endian here: .NET runs on little else.
    private static void EncodeBFloat16(ReadOnlySpan<uint> values, Span<ushort> halves)
    {
        var i = 0;
        for (; i + 16 <= values.Length; i += 16)
            Vector256.Narrow(Rounded(values, i), Rounded(values, i + 8)).CopyTo(halves[i..]);
        for (; i < values.Length; i++)
            halves[i] = (ushort)((values[i] + 0x7FFF + ((values[i] >> 16) & 1)) >> 16);

        static Vector256<uint> Rounded(ReadOnlySpan<uint> values, int i)
        {
            var bits = Vector256.Create(values.Slice(i, 8));
            return (bits + Vector256.Create(0x7FFFu) + ((bits >> 16) & Vector256<uint>.One)) >> 16;
        }
    }
}

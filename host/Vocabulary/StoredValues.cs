using System.Runtime.InteropServices;
using Merge.Sdk;

namespace Merge.Vocabulary;

/// <summary>Stored bytes as float32.</summary>
internal static class StoredValues
{
    /// <param name="dtype">One that is merged.</param>
    /// <param name="bytes">Whole elements.</param>
    /// <param name="into">At least as many.</param>
    public static void Decode(DType dtype, ReadOnlySpan<byte> bytes, Span<float> into)
    {
        switch (dtype)
        {
            case DType.F32:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(into);
                break;
            case DType.BF16:
                var upper = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < upper.Length; i++)
                    into[i] = BitConverter.UInt32BitsToSingle((uint)upper[i] << 16);
                break;
            case DType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var i = 0; i < halves.Length; i++)
                    into[i] = (float)halves[i];
                break;
            case DType.F64:
                var doubles = MemoryMarshal.Cast<byte, double>(bytes);
                for (var i = 0; i < doubles.Length; i++)
                    into[i] = (float)doubles[i];
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, null);
        }
    }
}

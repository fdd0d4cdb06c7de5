using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Merge.Sdk;

namespace Merge.Checkpoints;

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
                DecodeUpperHalves(MemoryMarshal.Cast<byte, ushort>(bytes), into);
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

    /// <summary>Float32 as stored bytes: nearest even, every NaN the quiet, positive one.</summary>
    /// <param name="dtype">One that is merged.</param>
    /// <param name="values">What to store.</param>
    /// <param name="into">Exactly as many bytes as they take.</param>
    public static void Encode(DType dtype, ReadOnlySpan<float> values, Span<byte> into)
    {
        switch (dtype)
        {
            case DType.F32:
                MemoryMarshal.AsBytes(values).CopyTo(into);
                break;
            case DType.BF16:
                var upper = MemoryMarshal.Cast<byte, ushort>(into);
                for (var i = 0; i < upper.Length; i++)
                {
                    var bits = BitConverter.SingleToUInt32Bits(values[i]);
                    upper[i] = float.IsNaN(values[i]) ? (ushort)0x7fc0 : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
                }
                break;
            case DType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(into);
                for (var i = 0; i < halves.Length; i++)
                    halves[i] = float.IsNaN(values[i]) ? BitConverter.UInt16BitsToHalf(0x7e00) : (Half)values[i];
                break;
            case DType.F64:
                var doubles = MemoryMarshal.Cast<byte, double>(into);
                for (var i = 0; i < doubles.Length; i++)
                    doubles[i] = values[i];
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(dtype), dtype, null);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DecodeUpperHalves(ReadOnlySpan<ushort> stored, Span<float> into)
    {
        var i = 0;
        for (; i <= stored.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(stored[i..]), out var low, out var high);
            Vector.AsVectorSingle(low << 16).CopyTo(into[i..]);
            Vector.AsVectorSingle(high << 16).CopyTo(into[(i + Vector<uint>.Count)..]);
        }
        for (; i < stored.Length; i++)
            into[i] = BitConverter.UInt32BitsToSingle((uint)stored[i] << 16);
    }

    /// <summary>Elements [at, at + into.Length) of a tensor of a dtype that is merged.</summary>
    public static void Read(TensorSource tensor, long at, Span<float> into)
    {
        if (tensor.DType == DType.F32)
        {
            tensor.Read(at * sizeof(float), MemoryMarshal.AsBytes(into));
            return;
        }
        var size = tensor.DType.Bits() / 8;
        var bytes = ArrayPool<byte>.Shared.Rent(into.Length * size);
        tensor.Read(at * size, bytes.AsSpan(0, into.Length * size));
        Decode(tensor.DType, bytes.AsSpan(0, into.Length * size), into);
        ArrayPool<byte>.Shared.Return(bytes);
    }
}

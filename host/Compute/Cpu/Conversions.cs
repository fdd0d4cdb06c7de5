using System.Runtime.CompilerServices;
using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>
/// Stored bytes to float32 and back. Encoding rounds to nearest even; every NaN becomes the quiet, positive one without
/// payload, so that devices agree.
/// </summary>
internal static unsafe class Conversions<L, F, I>
    where L : struct, ILanes<F, I>
    where F : struct
    where I : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F DecodeF32(byte* source) => L.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F DecodeF64(byte* source) => L.LoadDouble((double*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F DecodeBF16(byte* source) => FromBF16(L.LoadShort((ushort*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F DecodeF16(byte* source) => FromF16(L.LoadShort((ushort*)source));

    /// <summary>The value of zero-extended bfloat16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F FromBF16(I stored) => L.AsNumber(L.ShiftLeft(stored, 16));

    /// <summary>The value of zero-extended float16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F FromF16(I stored)
    {
        var magnitude = L.ShiftLeft(L.And(stored, L.Broadcast(0x7fff)), 13);
        var sign = L.ShiftLeft(L.And(stored, L.Broadcast(0x8000)), 16);

        // 2¹¹² moves the exponent's bias; subnormals come out right because the product is exact.
        var finite = L.AsBits(L.Multiply(L.AsNumber(magnitude), L.Broadcast(5.192296858534828e33f)));
        var special = L.Or(magnitude, L.Broadcast(0x7f800000));
        return L.AsNumber(L.Or(sign, L.Where(L.Less(magnitude, L.Broadcast(0x0f800000)), finite, special)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EncodeF32(F value, byte* target) => L.Store(Canonical(value), (float*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EncodeF64(F value, byte* target) => L.StoreDouble(Canonical(value), (double*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EncodeBF16(F value, byte* target) => L.StoreShort(ToBF16(value), (ushort*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EncodeF16(F value, byte* target) => L.StoreShort(ToF16(value), (ushort*)target);

    /// <summary>Bits of the nearest bfloat16, in the low half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I ToBF16(F value)
    {
        var bits = L.AsBits(value);
        var odd = L.And(L.ShiftRightUnsigned(bits, 16), L.Broadcast(1));
        var rounded = L.ShiftRightUnsigned(L.Add(bits, L.Add(odd, L.Broadcast(0x7fff))), 16);
        var isNumber = L.AsBits(L.Equal(value, value));
        return L.Where(isNumber, rounded, L.Broadcast(0x7fc0));
    }

    /// <summary>Bits of the nearest float16, in the low half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static I ToF16(F value)
    {
        var magnitude = L.Abs(value);
        var sign = L.And(L.ShiftRightUnsigned(L.AsBits(value), 16), L.Broadcast(0x8000));

        // Subnormal halves: adding 0.5 makes the hardware round at the right bit.
        var tiny = L.Subtract(L.AsBits(L.Add(magnitude, L.Broadcast(0.5f))), L.AsBits(L.Broadcast(0.5f)));

        // Others: the bias moves from 127 to 15, 13 bits are rounded off; beyond 65536 all is infinite.
        var bits = L.AsBits(L.Min(magnitude, L.Broadcast(65536f)));
        var odd = L.And(L.ShiftRightUnsigned(bits, 13), L.Broadcast(1));
        var normal = L.ShiftRightUnsigned(L.Add(bits, L.Add(odd, L.Broadcast(((15 - 127) << 23) + 0xfff))), 13);

        var isTiny = L.AsBits(L.Less(magnitude, L.Broadcast(6.103515625e-5f)));
        var isNumber = L.AsBits(L.Equal(value, value));
        var half = L.Or(sign, L.Where(isTiny, tiny, normal));
        return L.Where(isNumber, half, L.Broadcast(0x7e00));
    }

    /// <summary>Decodes one register full of elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Decode(DType type, byte* source) => type switch
    {
        DType.F32 => DecodeF32(source),
        DType.BF16 => DecodeBF16(source),
        DType.F16 => DecodeF16(source),
        _ => DecodeF64(source),
    };

    /// <summary>Encodes one register full of elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Encode(DType type, F value, byte* target)
    {
        switch (type)
        {
            case DType.F32:
                EncodeF32(value, target);
                break;
            case DType.BF16:
                EncodeBF16(value, target);
                break;
            case DType.F16:
                EncodeF16(value, target);
                break;
            default:
                EncodeF64(value, target);
                break;
        }
    }

    /// <summary>The value itself; of any NaN the quiet, positive one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Canonical(F value) =>
        L.Where(L.Equal(value, value), value, L.AsNumber(L.Broadcast(0x7fc00000)));
}

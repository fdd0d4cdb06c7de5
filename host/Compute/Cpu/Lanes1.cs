using System.Runtime.CompilerServices;

namespace Merge.Compute.Cpu;

/// <summary>One lane: the definition the others are checked against. A mask is all ones or all zeros.</summary>
internal readonly unsafe struct Lanes1 : ILanes<float, int>
{
    public static int Width => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Broadcast(float value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Broadcast(int value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Iota() => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(float* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, float* target) => *target = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LoadDouble(double* source) => (float)*source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreDouble(float value, double* target) => *target = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LoadShort(ushort* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreShort(int value, ushort* target) => *target = (ushort)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Add(float a, float b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Subtract(float a, float b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Multiply(float a, float b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Divide(float a, float b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Min(float a, float b) => MathF.Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(float a, float b) => MathF.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float FusedMultiplyAdd(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sqrt(float a) => MathF.Sqrt(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Abs(float a) => MathF.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Greater(float a, float b) => Mask(a > b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float GreaterOrEqual(float a, float b) => Mask(a >= b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Less(float a, float b) => Mask(a < b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LessOrEqual(float a, float b) => Mask(a <= b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Equal(float a, float b) => Mask(a == b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float And(float a, float b) => AsNumber(AsBits(a) & AsBits(b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Or(float a, float b) => AsNumber(AsBits(a) | AsBits(b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Xor(float a, float b) => AsNumber(AsBits(a) ^ AsBits(b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Not(float a) => AsNumber(~AsBits(a));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Where(float mask, float set, float unset) => AsBits(mask) != 0 ? set : unset;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Add(int a, int b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Subtract(int a, int b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int And(int a, int b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Or(int a, int b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Less(int a, int b) => a < b ? -1 : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Where(int mask, int set, int unset) => mask != 0 ? set : unset;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShiftLeft(int a, int bits) => a << bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShiftRight(int a, int bits) => a >> bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ShiftRightUnsigned(int a, int bits) => a >>> bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int AsBits(float a) => BitConverter.SingleToInt32Bits(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float AsNumber(int a) => BitConverter.Int32BitsToSingle(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToNumber(int a) => a;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Mask(bool set) => AsNumber(set ? -1 : 0);
}

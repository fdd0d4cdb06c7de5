using Merge.Compute.Cpu;
using One = Merge.Compute.Cpu.Lanes1;

namespace Merge.Compute.Gpu.Emission;

/// <summary>
/// Lanes that compute nothing but note the instruction: what is written once over <see cref="ILanes{F, I}"/> (exp, log,
/// pow, conversions …) becomes a device's code with the processor's bits. What is known already is computed now.
/// </summary>
internal readonly unsafe struct SymbolLanes : ILanes<Real, Whole>
{
    private const string NoAddresses = "a device's values have no address here";

    /// <summary>A mask that is known to be set; one that is not is zero.</summary>
    private static Real Always => new(null, -1);

    public static int Width => 1;

    public static Real Broadcast(float value) => Real.Of(value);

    public static Whole Broadcast(int value) => Whole.Of(value);

    public static Whole Iota() => Whole.Of(0);

    public static Real Load(float* source) => throw new NotSupportedException(NoAddresses);

    public static void Store(Real value, float* target) => throw new NotSupportedException(NoAddresses);

    public static Real LoadDouble(double* source) => throw new NotSupportedException(NoAddresses);

    public static void StoreDouble(Real value, double* target) => throw new NotSupportedException(NoAddresses);

    public static Whole LoadShort(ushort* source) => throw new NotSupportedException(NoAddresses);

    public static void StoreShort(Whole value, ushort* target) => throw new NotSupportedException(NoAddresses);

    public static Real Add(Real a, Real b) => Binary(Code.Add, a, b, One.Add);

    public static Real Subtract(Real a, Real b) => Binary(Code.Subtract, a, b, One.Subtract);

    public static Real Multiply(Real a, Real b) => Binary(Code.Multiply, a, b, One.Multiply);

    public static Real Divide(Real a, Real b) => Binary(Code.Divide, a, b, One.Divide);

    // Devices' own minima differ in what they make of NaN and of zeros: these are written out.
    public static Real Min(Real a, Real b) => (a.Body ?? b.Body) is null
        ? Real.Of(One.Min(a.Number, b.Number))
        : Where(Less(a, b), a, Where(Less(b, a), b, Where(Equal(a, b), AsNumber(Or(AsBits(a), AsBits(b))), Add(a, b))));

    public static Real Max(Real a, Real b) => (a.Body ?? b.Body) is null
        ? Real.Of(One.Max(a.Number, b.Number))
        : Where(Less(b, a), a, Where(Less(a, b), b, Where(Equal(a, b), AsNumber(And(AsBits(a), AsBits(b))), Add(a, b))));

    public static Real FusedMultiplyAdd(Real a, Real b, Real c) => (a.Body ?? b.Body ?? c.Body) is not { } body
        ? Real.Of(One.FusedMultiplyAdd(a.Number, b.Number, c.Number))
        : body.AddReal(new(Code.FusedMultiplyAdd, Kind.Real, a.In(body), b.In(body), c.In(body)));

    public static Real Sqrt(Real a) => Unary(Code.Sqrt, a, One.Sqrt);

    public static Real Abs(Real a) => Unary(Code.Abs, a, One.Abs);

    public static Real Greater(Real a, Real b) => Compare(Code.Greater, a, b, One.Greater);

    public static Real GreaterOrEqual(Real a, Real b) => Compare(Code.GreaterOrEqual, a, b, One.GreaterOrEqual);

    public static Real Less(Real a, Real b) => Compare(Code.Less, a, b, One.Less);

    public static Real LessOrEqual(Real a, Real b) => Compare(Code.LessOrEqual, a, b, One.LessOrEqual);

    public static Real Equal(Real a, Real b) => Compare(Code.Equal, a, b, One.Equal);

    public static Real And(Real a, Real b)
    {
        if (a.IsMask && b.IsMask)
            return Masks(Code.MaskAnd, a, b);
        if (b.IsMask)
            (a, b) = (b, a);
        if (!a.IsMask)
            return AsNumber(And(AsBits(a), AsBits(b)));
        return b == Always ? a : Where(a, b, Real.Of(0));
    }

    public static Real Or(Real a, Real b)
    {
        if (a.IsMask && b.IsMask)
            return Masks(Code.MaskOr, a, b);
        if (b.IsMask)
            (a, b) = (b, a);
        if (!a.IsMask)
            return AsNumber(Or(AsBits(a), AsBits(b)));
        return b == Always ? b : a;
    }

    public static Real Xor(Real a, Real b) => AsNumber(Bits(Code.BitXor, AsBits(a), AsBits(b), (x, y) => x ^ y));

    public static Real Not(Real a) => a.IsMask
        ? a.Body!.AddReal(new(Code.MaskNot, Kind.Mask, a.Value))
        : AsNumber(Bits(Code.BitXor, AsBits(a), Whole.Of(-1), (x, y) => x ^ y));

    public static Real Where(Real mask, Real set, Real unset) => mask.Body is not { } body
        ? (mask.Value != 0 ? set : unset)
        : body.AddReal(new(Code.Select, Kind.Real, mask.Value, set.In(body), unset.In(body)));

    public static Whole Add(Whole a, Whole b) => Bits(Code.WholeAdd, a, b, One.Add);

    public static Whole Subtract(Whole a, Whole b) => Bits(Code.WholeSubtract, a, b, One.Subtract);

    public static Whole And(Whole a, Whole b) => Bits(Code.BitAnd, a, b, One.And);

    public static Whole Or(Whole a, Whole b) => Bits(Code.BitOr, a, b, One.Or);

    public static Whole Xor(Whole a, Whole b) => Bits(Code.BitXor, a, b, (x, y) => x ^ y);

    public static Whole Multiply(Whole a, Whole b) => Bits(Code.WholeMultiply, a, b, (x, y) => x * y);

    /// <summary>The high half of the unsigned product.</summary>
    public static Whole MultiplyHigh(Whole a, Whole b) =>
        Bits(Code.MultiplyHigh, a, b, (x, y) => (int)((ulong)(uint)x * (uint)y >> 32));

    public static Whole UnsignedDivide(Whole a, Whole b) =>
        Bits(Code.UnsignedDivide, a, b, (x, y) => (int)((uint)x / (uint)y));

    public static Whole UnsignedRemainder(Whole a, Whole b) =>
        Bits(Code.UnsignedRemainder, a, b, (x, y) => (int)((uint)x % (uint)y));

    public static Whole Less(Whole a, Whole b) => (a.Body ?? b.Body) is not { } body
        ? Whole.Of(One.Less(a.Value, b.Value))
        : body.AddWhole(new(Code.WholeLess, Kind.Mask, a.In(body), b.In(body)));

    public static Whole Where(Whole mask, Whole set, Whole unset) => mask.Body is not { } body
        ? (mask.Value != 0 ? set : unset)
        : body.AddWhole(new(Code.Select, Kind.Whole, mask.Value, set.In(body), unset.In(body)));

    public static Whole ShiftLeft(Whole a, int bits) => Bits(Code.ShiftLeft, a, Whole.Of(bits), One.ShiftLeft);

    public static Whole ShiftRight(Whole a, int bits) => Bits(Code.ShiftRight, a, Whole.Of(bits), One.ShiftRight);

    public static Whole ShiftRightUnsigned(Whole a, int bits) =>
        Bits(Code.ShiftRightUnsigned, a, Whole.Of(bits), One.ShiftRightUnsigned);

    public static Whole AsBits(Real a) => a.Body is not { } body
        ? Whole.Of(a.Value)
        : a.IsMask ? new(body, a.Value) : body.AddWhole(new(Code.AsWhole, Kind.Whole, a.Value));

    public static Real AsNumber(Whole a) => a.Body is not { } body
        ? new(null, a.Value)
        : a.IsMask ? new(body, a.Value) : body.AddReal(new(Code.AsReal, Kind.Real, a.Value));

    public static Real ToNumber(Whole a) => a.Body is not { } body
        ? Real.Of(a.Value)
        : body.AddReal(new(Code.ToReal, Kind.Real, a.In(body)));

    private static Real Unary(Code code, Real a, Func<float, float> known) => a.Body is not { } body
        ? Real.Of(known(a.Number))
        : body.AddReal(new(code, Kind.Real, a.Value));

    private static Real Binary(Code code, Real a, Real b, Func<float, float, float> known) => (a.Body ?? b.Body) is not { } body
        ? Real.Of(known(a.Number, b.Number))
        : body.AddReal(new(code, Kind.Real, a.In(body), b.In(body)));

    private static Real Compare(Code code, Real a, Real b, Func<float, float, float> known) => (a.Body ?? b.Body) is not { } body
        ? Real.Of(known(a.Number, b.Number))
        : body.AddReal(new(code, Kind.Mask, a.In(body), b.In(body)));

    private static Real Masks(Code code, Real a, Real b) => a.Body!.AddReal(new(code, Kind.Mask, a.Value, b.Value));

    private static Whole Bits(Code code, Whole a, Whole b, Func<int, int, int> known) => (a.Body ?? b.Body) is not { } body
        ? Whole.Of(known(a.Value, b.Value))
        : body.AddWhole(new(code, Kind.Whole, a.In(body), b.In(body)));
}

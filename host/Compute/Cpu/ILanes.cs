namespace Merge.Compute.Cpu;

/// <summary>
/// Registers of some width seen as float32 and int32 lanes. Every operation is IEEE and lane by lane, so what is
/// written over it has the same bits at every width.
/// </summary>
/// <typeparam name="F">A register of float32 lanes.</typeparam>
/// <typeparam name="I">A register of int32 lanes.</typeparam>
internal unsafe interface ILanes<F, I>
    where F : struct
    where I : struct
{
    static abstract int Width { get; }

    static abstract F Broadcast(float value);

    static abstract I Broadcast(int value);

    /// <summary>0, 1, 2 …</summary>
    static abstract I Iota();

    static abstract F Load(float* source);

    static abstract void Store(F value, float* target);

    /// <summary>Rounded to float32.</summary>
    static abstract F LoadDouble(double* source);

    static abstract void StoreDouble(F value, double* target);

    /// <summary>Zero-extended.</summary>
    static abstract I LoadShort(ushort* source);

    /// <summary>The low half of every lane.</summary>
    static abstract void StoreShort(I value, ushort* target);

    static abstract F Add(F a, F b);

    static abstract F Subtract(F a, F b);

    static abstract F Multiply(F a, F b);

    static abstract F Divide(F a, F b);

    /// <summary>IEEE 754 minimum.</summary>
    static abstract F Min(F a, F b);

    /// <summary>IEEE 754 maximum.</summary>
    static abstract F Max(F a, F b);

    /// <summary>a·b + c, rounded once.</summary>
    static abstract F FusedMultiplyAdd(F a, F b, F c);

    static abstract F Sqrt(F a);

    static abstract F Abs(F a);

    static abstract F Greater(F a, F b);

    static abstract F GreaterOrEqual(F a, F b);

    static abstract F Less(F a, F b);

    static abstract F LessOrEqual(F a, F b);

    static abstract F Equal(F a, F b);

    static abstract F And(F a, F b);

    static abstract F Or(F a, F b);

    static abstract F Xor(F a, F b);

    static abstract F Not(F a);

    /// <summary>A lane of a mask is all ones or all zeros.</summary>
    static abstract F Where(F mask, F set, F unset);

    static abstract I Add(I a, I b);

    static abstract I Subtract(I a, I b);

    static abstract I And(I a, I b);

    static abstract I Or(I a, I b);

    static abstract I Less(I a, I b);

    /// <summary>A lane of a mask is all ones or all zeros.</summary>
    static abstract I Where(I mask, I set, I unset);

    static abstract I ShiftLeft(I a, int bits);

    /// <summary>The sign comes in.</summary>
    static abstract I ShiftRight(I a, int bits);

    static abstract I ShiftRightUnsigned(I a, int bits);

    static abstract I AsBits(F a);

    static abstract F AsNumber(I a);

    /// <summary>The integer's value.</summary>
    static abstract F ToNumber(I a);
}

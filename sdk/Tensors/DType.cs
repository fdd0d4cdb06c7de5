namespace Merge.Sdk;

/// <summary>The element type of a stored tensor; the names are those of the safetensors format.</summary>
public enum DType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,
    /// <summary>Packed 4-bit float (two elements a byte).</summary>
    F4,
    /// <summary>Packed 6-bit float, 2 exponent bits.</summary>
    F6_E2M3,
    /// <summary>Packed 6-bit float, 3 exponent bits.</summary>
    F6_E3M2,
    /// <summary>8-bit unsigned integer.</summary>
    U8,
    /// <summary>8-bit signed integer.</summary>
    I8,
    /// <summary>8-bit float, 5 exponent bits.</summary>
    F8_E5M2,
    /// <summary>8-bit float, 4 exponent bits.</summary>
    F8_E4M3,
    /// <summary>8-bit exponent only (a scale).</summary>
    F8_E8M0,
    /// <summary>16-bit signed integer.</summary>
    I16,
    /// <summary>16-bit unsigned integer.</summary>
    U16,
    /// <summary>IEEE binary16.</summary>
    F16,
    /// <summary>bfloat16: the upper half of a binary32.</summary>
    BF16,
    /// <summary>32-bit signed integer.</summary>
    I32,
    /// <summary>32-bit unsigned integer.</summary>
    U32,
    /// <summary>IEEE binary32.</summary>
    F32,
    /// <summary>IEEE binary64.</summary>
    F64,
    /// <summary>64-bit signed integer.</summary>
    I64,
    /// <summary>64-bit unsigned integer.</summary>
    U64,
    /// <summary>Two binary32: a complex number.</summary>
    C64,
}

/// <summary>What can be said of a <see cref="DType"/>.</summary>
public static class DTypes
{
    /// <summary>Bits one element takes in a file.</summary>
    public static int Bits(this DType dtype) => dtype switch
    {
        DType.F4 => 4,
        DType.F6_E2M3 or DType.F6_E3M2 => 6,
        DType.Bool or DType.U8 or DType.I8 or DType.F8_E5M2 or DType.F8_E4M3 or DType.F8_E8M0 => 8,
        DType.I16 or DType.U16 or DType.F16 or DType.BF16 => 16,
        DType.I32 or DType.U32 or DType.F32 => 32,
        DType.F64 or DType.I64 or DType.U64 or DType.C64 => 64,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, null),
    };

    /// <summary>F64, F32, F16 and BF16: the types that are merged. All others are copied or refused.</summary>
    public static bool IsMergeable(this DType dtype) => dtype is DType.F64 or DType.F32 or DType.F16 or DType.BF16;

    /// <summary>Integers and bools: copied from the base, never averaged.</summary>
    public static bool IsCopied(this DType dtype) => dtype is DType.Bool or DType.U8 or DType.I8 or DType.I16
        or DType.U16 or DType.I32 or DType.U32 or DType.I64 or DType.U64;
}

namespace Merge.Compute.Gpu.Emission;

/// <summary>What a value of a <see cref="Body"/> is.</summary>
internal enum Kind
{
    /// <summary>Float32.</summary>
    Real,
    /// <summary>32 bits, signed where it matters.</summary>
    Whole,
    /// <summary>True or false.</summary>
    Mask,
    /// <summary>64 bits.</summary>
    Long,
    /// <summary>Float64.</summary>
    Double,
}

/// <summary>What an instruction of a <see cref="Body"/> does with its arguments.</summary>
internal enum Code
{
    // Sources
    Literal,            // 32 bits: Number
    Parameter,          // slot Stream; of a number of 32 bits half Offset
    Element,            // the first element's index in the block
    Load,               // stream Stream, the element: 16 bits zero-extended, 32 or 64 bits
    LoadWords,          // stream Stream: words Offset … Offset + 3 of the pack; this is the first
    NextWord,           // word Offset of the LoadWords A
    Gather,             // element A of the float32 table at stream Stream

    // Float32
    Add, Subtract, Multiply, Divide, Sqrt, Abs,
    FusedMultiplyAdd,   // A·B + C, rounded once
    Greater, GreaterOrEqual, Less, LessOrEqual, Equal,
    ToReal,             // of a signed whole number
    Narrow,             // of a float64
    ToDouble,

    // Masks
    MaskAnd, MaskOr, MaskNot,
    Select,             // B where A, else C

    // 32 bits
    AsReal, AsWhole,
    WholeAdd, WholeSubtract, WholeMultiply,
    MultiplyHigh,       // the high half of the unsigned product
    UnsignedDivide, UnsignedRemainder,
    BitAnd, BitOr, BitXor,
    ShiftLeft, ShiftRight, ShiftRightUnsigned,  // by literal B
    WholeLess,

    // 64 bits
    Widen,              // zero-extended
    LongAdd,
    LongShiftRight,     // by literal B, unsigned
    LowHalf, HighHalf,  // of a long or the bits of a float64
    Join,               // the float64 with low half A, high half B

    // Results
    Store,              // A to stream Stream; the low half if it is whole and Offset is 2
    StoreWords,         // A, B, C, D to words Offset … of stream Stream
}

/// <summary>An instruction; arguments are numbers of earlier ones. Equal ones have equal values.</summary>
internal readonly record struct Instruction(
    Code Code, Kind Kind, int A = -1, int B = -1, int C = -1, int D = -1, int Number = 0, int Stream = 0, int Offset = 0);

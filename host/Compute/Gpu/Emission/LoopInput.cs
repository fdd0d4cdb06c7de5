using Merge.Sdk;

namespace Merge.Compute.Gpu.Emission;

/// <summary>Where a device's loop has an input from.</summary>
internal enum InputSource
{
    /// <summary>Stored values, one an element.</summary>
    Stream,
    /// <summary>Random numbers: key, number of their stream.</summary>
    Uniform,
    /// <summary>A table with a number a row: its place, the first element's column, the length of a row.</summary>
    Row,
    /// <summary>A table with a number a column: as <see cref="Row"/>.</summary>
    Column,
    /// <summary>A table with a number for each fiber whose elements lie together: its place, their length.</summary>
    FiberTogether,
    /// <summary>A table with a number for each fiber: its place, elements of a group of fibers, their stride.</summary>
    Fiber,
}

/// <summary>Where a kernel finds its parameters: places of 64 bits, which the host fills before every launch.</summary>
/// <param name="Inputs">How many inputs the loop has.</param>
/// <param name="Outputs">How many outputs.</param>
/// <param name="Constants">How many constants.</param>
/// <param name="Cuts">How many cuts.</param>
internal readonly record struct ParameterSlots(int Inputs, int Outputs, int Constants, int Cuts)
{
    private const int OfInput = 3;

    /// <summary>Index in the tensor of the block's first element.</summary>
    public static int Start => 0;

    public int Count => CutLimit(Cuts);

    /// <summary>The first of an input's: its offset in memory, or what <see cref="InputSource"/> says.</summary>
    public static int Input(int index) => 1 + (index * OfInput);

    public int Output(int index) => Input(Inputs) + index;

    public int Constant(int index) => Output(Outputs) + index;

    public int CutValue(int index) => Constant(Constants) + index;

    /// <summary>Elements of the block before a cut's limit.</summary>
    public int CutLimit(int index) => CutValue(Cuts) + index;
}

/// <summary>An input of a device's loop.</summary>
internal readonly record struct LoopInput(InputSource Source, DType Type);

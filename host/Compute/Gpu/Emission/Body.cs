namespace Merge.Compute.Gpu.Emission;

/// <summary>
/// What a kernel does for one element, or one pack of them: instructions that each define one value, in the order they
/// run. Independent of the language it is then written in.
/// </summary>
internal sealed class Body
{
    private readonly List<Instruction> _instructions = [];
    private readonly Dictionary<Instruction, int> _known = [];

    public IReadOnlyList<Instruction> Instructions => _instructions;

    public Kind KindOf(int value) => _instructions[value].Kind;

    /// <summary>The value's number; an instruction that is known is not repeated.</summary>
    public int Add(Instruction instruction)
    {
        if (_known.TryGetValue(instruction, out var known))
            return known;
        _instructions.Add(instruction);
        return _known[instruction] = _instructions.Count - 1;
    }

    public Real AddReal(Instruction instruction) => new(this, Add(instruction));

    public Whole AddWhole(Instruction instruction) => new(this, Add(instruction));

    /// <summary>Whether it is a value with a 32-bit number that is known now.</summary>
    public bool IsLiteral(int value) => _instructions[value].Code == Code.Literal;
}

/// <summary>A float32 of a body, or a mask; a number that is known now has no body.</summary>
internal readonly record struct Real(Body? Body, int Value)
{
    public float Number => BitConverter.Int32BitsToSingle(Value);

    public bool IsMask => Body is not null && Body.KindOf(Value) == Kind.Mask;

    public static Real Of(float number) => new(null, BitConverter.SingleToInt32Bits(number));

    public int In(Body body) => Body is null ? body.Add(new(Code.Literal, Kind.Real, Number: Value)) : Value;
}

/// <summary>32 bits of a body, or a mask; a number that is known now has no body.</summary>
internal readonly record struct Whole(Body? Body, int Value)
{
    public bool IsMask => Body is not null && Body.KindOf(Value) == Kind.Mask;

    public static Whole Of(int number) => new(null, number);

    /// <summary>Its bits: of a mask all ones or all zeros.</summary>
    public int In(Body body)
    {
        if (Body is null)
            return body.Add(new(Code.Literal, Kind.Whole, Number: Value));
        return IsMask ? body.Add(new(Code.Select, Kind.Whole, Value, Of(-1).In(body), Of(0).In(body))) : Value;
    }
}

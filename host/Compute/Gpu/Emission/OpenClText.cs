using System.Text;
using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Merge.Compute.Gpu.Emission;

/// <summary>
/// A loop as a kernel in OpenCL C 1.2. Its arguments: memory, where in it the parameters are, the first element, where
/// they end.
/// </summary>
internal sealed class OpenClText
{
    private static readonly string[] Lanes = ["x", "y", "z", "w"];

    private readonly LoopShape _shape;
    private readonly LoopInput[] _inputs;
    private readonly Body _body;
    private readonly ParameterSlots _slots;
    private readonly StringBuilder _text = new();

    private OpenClText(LoopShape shape, LoopInput[] inputs, Body body)
    {
        (_shape, _inputs, _body) = (shape, inputs, body);
        _slots = LoopBody.SlotsOf(shape);
    }

    /// <summary>What a program begins with: nothing may be fused that is not written so.</summary>
    public const string Head = """
        #pragma OPENCL EXTENSION cl_khr_fp64 : enable
        #pragma OPENCL FP_CONTRACT OFF

        """;

    public static string Of(string name, LoopShape shape, LoopInput[] inputs, int pack)
    {
        var writer = new OpenClText(shape, inputs, LoopBody.Of(shape, inputs, pack));
        writer.Write(name, pack);
        return writer._text.ToString();
    }

    private void Write(string name, int pack)
    {
        _text.AppendLine($"kernel void {name}(global uchar* memory, const ulong parameters, const uint first, const uint end) {{");
        _text.AppendLine("global const ulong* p = (global const ulong*)(memory + parameters);");
        for (var k = 0; k < _inputs.Length + _shape.Outputs.Count; k++)
        {
            if (k >= _inputs.Length || _inputs[k].Source == InputSource.Stream)
                _text.AppendLine($"global uchar* s{k} = memory + p[{SlotOf(k)}];");
        }
        for (var i = 0; i < _body.Instructions.Count; i++)
            WriteParameter(i);
        _text.AppendLine(
            $"for (uint e = first + (uint)get_global_id(0) * {pack}; e < end; e += (uint)get_global_size(0) * {pack}) {{");
        for (var i = 0; i < _body.Instructions.Count; i++)
            WriteInstruction(i);
        _text.AppendLine("}\n}");
    }

    private int SlotOf(int stream) =>
        stream < _inputs.Length ? ParameterSlots.Input(stream) : _slots.Output(stream - _inputs.Length);

    private void WriteParameter(int index)
    {
        var instruction = _body.Instructions[index];
        if (instruction.Code != Code.Parameter)
            return;
        var slot = $"p[{instruction.Stream}]";
        Define(index, instruction.Kind switch
        {
            Kind.Long => slot,
            Kind.Real => $"as_float((uint){slot})",
            _ => $"(int)(uint)({slot} >> {32 * instruction.Offset})",
        });
    }

    private void WriteInstruction(int index)
    {
        var i = _body.Instructions[index];
        if (i.Code is Code.Literal or Code.Parameter)
            return;
        switch (i.Code)
        {
            case Code.LoadWords:
                _text.AppendLine(
                    $"const uint4 w{index} = ((global const uint4*)({Address(i.Stream)}))[{i.Offset / 4}];");
                Define(index, $"(int)w{index}.x");
                return;
            case Code.Store:
                _text.AppendLine($"*(global {Stored(i.Kind)}*)({Address(i.Stream)}) = ({Stored(i.Kind)}){Value(i.A)};");
                return;
            case Code.StoreWords:
                var words = string.Join(", ", new[] { i.A, i.B, i.C, i.D }.Select(v => $"(uint){Value(v)}"));
                _text.AppendLine($"((global uint4*)({Address(i.Stream)}))[{i.Offset / 4}] = (uint4)({words});");
                return;
        }
        var (a, b, c) = (Value(i.A), Value(i.B), Value(i.C));
        Define(index, i.Code switch
        {
            Code.Element => "(int)e",
            Code.Load => $"*(global const {Stored(i.Kind)}*)({Address(i.Stream)})",
            Code.NextWord => $"(int)w{i.A}.{Lanes[i.Offset]}",
            Code.Gather => $"((global const float*)(memory + p[{i.Stream}]))[(uint){a}]",
            Code.Add or Code.WholeAdd or Code.LongAdd => $"{a} + {b}",
            Code.Subtract or Code.WholeSubtract => $"{a} - {b}",
            Code.Multiply or Code.WholeMultiply => $"{a} * {b}",
            Code.Divide => $"{a} / {b}",
            Code.Sqrt => $"sqrt({a})",
            Code.Abs => $"fabs({a})",
            Code.FusedMultiplyAdd => $"fma({a}, {b}, {c})",
            Code.Greater => $"{a} > {b}",
            Code.GreaterOrEqual => $"{a} >= {b}",
            Code.Less or Code.WholeLess => $"{a} < {b}",
            Code.LessOrEqual => $"{a} <= {b}",
            Code.Equal => $"{a} == {b}",
            Code.ToReal or Code.Narrow => $"(float){a}",
            Code.ToDouble => $"(double){a}",
            Code.MaskAnd or Code.BitAnd => $"{a} & {b}",
            Code.MaskOr or Code.BitOr => $"{a} | {b}",
            Code.BitXor => $"{a} ^ {b}",
            Code.MaskNot => $"!{a}",
            Code.Select => $"{a} ? {b} : {c}",
            Code.AsReal => $"as_float({a})",
            Code.AsWhole => $"as_int({a})",
            Code.MultiplyHigh => $"(int)mul_hi((uint){a}, (uint){b})",
            Code.UnsignedDivide => $"(int)((uint){a} / (uint){b})",
            Code.UnsignedRemainder => $"(int)((uint){a} % (uint){b})",
            Code.ShiftLeft => $"(int)((uint){a} << {b})",
            Code.ShiftRight => $"{a} >> {b}",
            Code.ShiftRightUnsigned => $"(int)((uint){a} >> {b})",
            Code.LongShiftRight => $"{a} >> {b}",
            Code.Widen => $"(ulong)(uint){a}",
            Code.LowHalf => $"(int)(uint){Bits(i.A)}",
            Code.HighHalf => $"(int)(uint)({Bits(i.A)} >> 32)",
            Code.Join => $"as_double(((ulong)(uint){b} << 32) | (uint){a})",
            _ => throw new NotSupportedException($"{i.Code}"),
        });
    }

    private void Define(int index, string value)
    {
        var type = _body.Instructions[index].Kind switch
        {
            Kind.Real => "float",
            Kind.Long => "ulong",
            Kind.Double => "double",
            _ => "int",
        };
        _text.AppendLine($"const {type} v{index} = {value};");
    }

    private string Value(int index)
    {
        if (index < 0)
            return "";
        var instruction = _body.Instructions[index];
        if (instruction.Code != Code.Literal)
            return $"v{index}";
        return instruction.Kind == Kind.Real ? $"as_float(0x{instruction.Number:x}u)" : $"((int)0x{instruction.Number:x}u)";
    }

    private string Bits(int index) => _body.KindOf(index) == Kind.Double ? $"as_ulong({Value(index)})" : Value(index);

    private string Address(int stream)
    {
        var type = stream < _inputs.Length ? _inputs[stream].Type : _shape.Outputs[stream - _inputs.Length].Type;
        return $"s{stream} + (ulong)e * {type.Bits() / 8}";
    }

    private static string Stored(Kind kind) => kind switch
    {
        Kind.Real => "float",
        Kind.Double => "double",
        _ => "ushort",
    };
}

using System.Text;
using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Merge.Compute.Gpu.Emission;

/// <summary>
/// A loop as an entry in PTX. Its arguments: memory, where in it the parameters are, the first element, where they end.
/// </summary>
/// <remarks>Registers: %r of 32 bits, %l of 64, %p predicates, numbered as the values; the others are the loop's own.</remarks>
internal sealed class PtxText
{
    // More parameters than registers are read where they are used.
    private const int MostHeldParameters = 48;

    private readonly LoopShape _shape;
    private readonly LoopInput[] _inputs;
    private readonly Body _body;
    private readonly ParameterSlots _slots;
    private readonly bool _holdsParameters;
    private readonly StringBuilder _text = new();

    private PtxText(LoopShape shape, LoopInput[] inputs, Body body)
    {
        (_shape, _inputs, _body) = (shape, inputs, body);
        _slots = LoopBody.SlotsOf(shape);
        _holdsParameters = body.Instructions.Count(i => i.Code == Code.Parameter) <= MostHeldParameters;
    }

    /// <summary>What a program begins with.</summary>
    public const string Head = ".version 6.0\n.target sm_70\n.address_size 64\n\n";

    public static string Of(string name, LoopShape shape, LoopInput[] inputs, int pack)
    {
        var writer = new PtxText(shape, inputs, LoopBody.Of(shape, inputs, pack));
        writer.Write(name, pack);
        return writer._text.ToString();
    }

    private int Streams => _inputs.Length + _shape.Outputs.Count;

    private void Write(string name, int pack)
    {
        Line($".visible .entry {name}(.param .u64 memory, .param .u64 parameters, .param .u32 first, .param .u32 end)");
        Line("{");
        Line($".reg .b32 %r<{_body.Instructions.Count}>;");
        Line($".reg .b64 %l<{_body.Instructions.Count}>;");
        Line($".reg .pred %p<{_body.Instructions.Count}>;");
        Line($".reg .b64 %base<{Streams}>;");
        Line($".reg .b64 %at<{Streams}>;");
        Line(".reg .b64 %memory, %place, %offset, %by2, %by4, %by8;");
        Line(".reg .b32 %group, %width, %thread, %element, %step, %first, %end;");
        Line(".reg .pred %done;");
        Line("ld.param.u64 %memory, [memory];");
        Line("ld.param.u64 %place, [parameters];");
        Line("ld.param.u32 %first, [first];");
        Line("ld.param.u32 %end, [end];");
        Line("cvta.to.global.u64 %memory, %memory;");
        Line("add.s64 %place, %memory, %place;");
        for (var k = 0; k < Streams; k++)
        {
            if (!IsStream(k))
                continue;
            Line($"ld.global.nc.u64 %base{k}, [%place+{8 * SlotOf(k)}];");
            Line($"add.s64 %base{k}, %memory, %base{k};");
        }
        for (var i = 0; i < _body.Instructions.Count && _holdsParameters; i++)
        {
            if (_body.Instructions[i].Code == Code.Parameter)
                WriteParameter(i);
        }
        foreach (var literal in LiteralsInRegisters())
            Line($"mov.b32 %r{literal}, {Value(literal)};");
        Line("mov.u32 %group, %ctaid.x;");
        Line("mov.u32 %width, %ntid.x;");
        Line("mov.u32 %thread, %tid.x;");
        Line("mad.lo.s32 %element, %group, %width, %thread;");
        Line($"mul.lo.s32 %element, %element, {pack};");
        Line("add.s32 %element, %element, %first;");
        Line("mov.u32 %step, %nctaid.x;");
        Line("mul.lo.s32 %step, %step, %width;");
        Line($"mul.lo.s32 %step, %step, {pack};");
        Line("NEXT:");
        Line("setp.ge.u32 %done, %element, %end;");
        Line("@%done bra DONE;");
        foreach (var size in new[] { 2, 4, 8 })
            Line($"mul.wide.u32 %by{size}, %element, {size};");
        for (var k = 0; k < Streams; k++)
        {
            if (IsStream(k))
                Line($"add.s64 %at{k}, %base{k}, %by{SizeOf(k)};");
        }
        for (var i = 0; i < _body.Instructions.Count; i++)
            WriteInstruction(i);
        Line("add.s32 %element, %element, %step;");
        Line("bra NEXT;");
        Line("DONE:");
        Line("ret;");
        Line("}");
    }

    private bool IsStream(int stream) => stream >= _inputs.Length || _inputs[stream].Source == InputSource.Stream;

    private int SlotOf(int stream) =>
        stream < _inputs.Length ? ParameterSlots.Input(stream) : _slots.Output(stream - _inputs.Length);

    private int SizeOf(int stream) =>
        (stream < _inputs.Length ? _inputs[stream].Type : _shape.Outputs[stream - _inputs.Length].Type).Bits() / 8;

    // Where the language has no place for a number.
    private IEnumerable<int> LiteralsInRegisters() => _body.Instructions
        .Where(i => i.Code is Code.Store or Code.StoreWords or Code.ToDouble or Code.Join or Code.Widen or Code.Gather)
        .SelectMany(i => new[] { i.A, i.B, i.C, i.D })
        .Where(v => v >= 0 && _body.IsLiteral(v))
        .Distinct();

    private void WriteParameter(int index)
    {
        var i = _body.Instructions[index];
        var place = $"[%place+{(8 * i.Stream) + (4 * i.Offset)}]";
        Line(i.Kind == Kind.Long ? $"ld.global.nc.u64 %l{index}, {place};" : $"ld.global.nc.u32 %r{index}, {place};");
    }

    private void WriteInstruction(int index)
    {
        var i = _body.Instructions[index];
        var (a, b, c) = (Value(i.A), Value(i.B), Value(i.C));
        switch (i.Code)
        {
            case Code.Literal or Code.NextWord or Code.AsReal or Code.AsWhole:
                return;
            case Code.Parameter:
                if (!_holdsParameters)
                    WriteParameter(index);
                return;
            case Code.Load:
                Line($"ld.global.nc.u{8 * SizeOf(i.Stream)} {Value(index)}, [%at{i.Stream}];");
                return;
            case Code.LoadWords:
                Line($"ld.global.nc.v4.u32 {{%r{index}, %r{index + 1}, %r{index + 2}, %r{index + 3}}}, [%at{i.Stream}+{4 * i.Offset}];");
                return;
            case Code.Store:
                Line($"st.global.u{8 * SizeOf(i.Stream)} [%at{i.Stream}], {Register(i.A)};");
                return;
            case Code.StoreWords:
                Line($"st.global.v4.u32 [%at{i.Stream}+{4 * i.Offset}], "
                    + $"{{{Register(i.A)}, {Register(i.B)}, {Register(i.C)}, {Register(i.D)}}};");
                return;
            case Code.Gather:
                Line($"ld.global.nc.u64 %offset, [%place+{8 * i.Stream}];");
                Line("add.s64 %offset, %memory, %offset;");
                Line($"mad.wide.u32 %offset, {Register(i.A)}, 4, %offset;");
                Line($"ld.global.nc.u32 %r{index}, [%offset];");
                return;
            case Code.Select:
                Line($"selp.b32 %r{index}, {b}, {c}, {a};");
                return;
            case Code.Element:
                Line($"mov.b32 %r{index}, %element;");
                return;
            case Code.HighHalf:
                Line($"shr.u64 %offset, {a}, 32;");
                Line($"cvt.u32.u64 %r{index}, %offset;");
                return;
            case Code.Join:
                Line($"mov.b64 %l{index}, {{{Register(i.A)}, {Register(i.B)}}};");
                return;
        }
        var operands = i.Code is Code.ToDouble or Code.Widen ? Register(i.A) : i.C >= 0 ? $"{a}, {b}, {c}" : i.B >= 0 ? $"{a}, {b}" : a;
        Line($"{Name(i.Code)} {Value(index)}, {operands};");
    }

    private static string Name(Code code) => code switch
    {
        Code.Add => "add.rn.f32",
        Code.Subtract => "sub.rn.f32",
        Code.Multiply => "mul.rn.f32",
        Code.Divide => "div.rn.f32",
        Code.Sqrt => "sqrt.rn.f32",
        Code.Abs => "abs.f32",
        Code.FusedMultiplyAdd => "fma.rn.f32",
        Code.Greater => "setp.gt.f32",
        Code.GreaterOrEqual => "setp.ge.f32",
        Code.Less => "setp.lt.f32",
        Code.LessOrEqual => "setp.le.f32",
        Code.Equal => "setp.eq.f32",
        Code.ToReal => "cvt.rn.f32.s32",
        Code.Narrow => "cvt.rn.f32.f64",
        Code.ToDouble => "cvt.f64.f32",
        Code.MaskAnd => "and.pred",
        Code.MaskOr => "or.pred",
        Code.MaskNot => "not.pred",
        Code.WholeAdd => "add.s32",
        Code.WholeSubtract => "sub.s32",
        Code.WholeMultiply => "mul.lo.s32",
        Code.MultiplyHigh => "mul.hi.u32",
        Code.UnsignedDivide => "div.u32",
        Code.UnsignedRemainder => "rem.u32",
        Code.BitAnd => "and.b32",
        Code.BitOr => "or.b32",
        Code.BitXor => "xor.b32",
        Code.ShiftLeft => "shl.b32",
        Code.ShiftRight => "shr.s32",
        Code.ShiftRightUnsigned => "shr.u32",
        Code.WholeLess => "setp.lt.s32",
        Code.Widen => "cvt.u64.u32",
        Code.LongAdd => "add.s64",
        Code.LongShiftRight => "shr.u64",
        Code.LowHalf => "cvt.u32.u64",
        _ => throw new NotSupportedException($"{code}"),
    };

    private string Value(int index)
    {
        if (index < 0)
            return "";
        var instruction = _body.Instructions[index];
        return instruction.Code switch
        {
            Code.Literal when instruction.Kind == Kind.Real => $"0f{instruction.Number:X8}",
            Code.Literal => $"{instruction.Number}",
            Code.AsReal or Code.AsWhole => Value(instruction.A),
            _ => instruction.Kind switch
            {
                Kind.Mask => $"%p{index}",
                Kind.Long or Kind.Double => $"%l{index}",
                _ => $"%r{index}",
            },
        };
    }

    private string Register(int index) => _body.IsLiteral(index) ? $"%r{index}" : Value(index);

    private void Line(string text) => _text.Append(text).Append('\n');
}

using Merge.Compute.Cpu;
using Merge.Sdk;
using Convert = Merge.Compute.Cpu.Conversions<Merge.Compute.Gpu.Emission.SymbolLanes, Merge.Compute.Gpu.Emission.Real, Merge.Compute.Gpu.Emission.Whole>;
using Lanes = Merge.Compute.Gpu.Emission.SymbolLanes;
using Operation = Merge.Compute.Cpu.ElementOperations<Merge.Compute.Gpu.Emission.SymbolLanes, Merge.Compute.Gpu.Emission.Real, Merge.Compute.Gpu.Emission.Whole>;

namespace Merge.Compute.Gpu.Emission;

/// <summary>
/// Writes an element-wise loop's body, for one element, or for a pack whose stored values are read and written 16 bytes
/// at a time.
/// </summary>
internal sealed class LoopBody
{
    private const int WordsAtOnce = 4;

    private readonly LoopShape _shape;
    private readonly LoopInput[] _inputs;
    private readonly ParameterSlots _slots;
    private readonly int _pack;
    private readonly Body _body = new();

    private LoopBody(LoopShape shape, LoopInput[] inputs, int pack)
    {
        (_shape, _inputs, _pack) = (shape, inputs, pack);
        _slots = SlotsOf(shape);
    }

    public static ParameterSlots SlotsOf(LoopShape shape) => new(
        shape.Inputs.Count, shape.Outputs.Count, shape.Steps.Count(s => s.Op == Op.Constant), shape.CutCount);

    /// <summary>Elements of a pack: those 16 bytes of the narrowest stored type hold.</summary>
    public static int PackOf(LoopShape shape, LoopInput[] inputs) => 16 * 8 / inputs
        .Where(i => i.Source == InputSource.Stream).Select(i => i.Type)
        .Concat(shape.Outputs.Select(o => o.Type))
        .Min(t => Math.Min(t.Bits(), DType.F32.Bits()));

    /// <param name="shape">The loop.</param>
    /// <param name="inputs">Where each of its inputs comes from.</param>
    /// <param name="pack">
    /// 1, or elements at once: of a block whose first element's index is a multiple of 4 the first, this many, and so on.
    /// </param>
    public static Body Of(LoopShape shape, LoopInput[] inputs, int pack)
    {
        var writer = new LoopBody(shape, inputs, pack);
        writer.Write();
        return writer._body;
    }

    private void Write()
    {
        // All that is read is on its way before any of it is needed.
        var words = _inputs.Select(i => _pack > 1 && i.Source == InputSource.Stream ? new Whole[Words(i.Type)] : []).ToArray();
        for (var k = 0; k < words.Length; k++)
        {
            for (var w = 0; w < words[k].Length; w += WordsAtOnce)
                LoadWords(k, w, words[k]);
        }
        var results = new Real[_shape.Outputs.Count, _pack];
        for (var place = 0; place < _pack; place++)
        {
            var first = _body.AddWhole(new(Code.Element, Kind.Whole));
            var element = place == 0 ? first : Lanes.Add(first, Whole.Of(place));
            var values = new Real[_shape.Steps.Count];
            for (var i = 0; i < values.Length; i++)
                values[i] = Step(_shape.Steps[i], values, words, place, element);
            for (var k = 0; k < _shape.Outputs.Count; k++)
                results[k, place] = values[_shape.Outputs[k].Step];
        }
        for (var k = 0; k < _shape.Outputs.Count; k++)
            StoreAll(k, _shape.Outputs[k].Type, [.. Enumerable.Range(0, _pack).Select(p => results[k, p])]);
    }

    private Real Step(LoopStep step, Real[] values, Whole[][] words, int place, Whole element)
    {
        Real Argument(int k) => k < step.StepArguments ? values[step.StepArgument(k)] : default;
        switch (step.Op)
        {
            case Op.Input:
                return Input(step.A, words[step.A], place, element);
            case Op.Constant:
                return RealParameter(_slots.Constant(step.A));
            case Op.KeptBy:
                var below = Lanes.AsNumber(Lanes.Less(element, WholeParameter(_slots.CutLimit(step.B))));
                return step.C == 1
                    ? Arithmetic<Lanes, Real, Whole>.KeptByNaN(values[step.A], below)
                    : Arithmetic<Lanes, Real, Whole>.KeptByNumber(
                        values[step.A], RealParameter(_slots.CutValue(step.B)), below);
            default:
                return Operation.Apply(step.Op, Argument(0), Argument(1), Argument(2));
        }
    }

    private Real Input(int index, Whole[] words, int place, Whole element)
    {
        var slot = ParameterSlots.Input(index);
        switch (_inputs[index].Source)
        {
            case InputSource.Stream:
                return _pack == 1 ? Stored(index) : Stored(_inputs[index].Type, words, place);
            case InputSource.Uniform:
                return Uniform(slot, place);
            case InputSource.Row:
                return Gather(slot, Lanes.UnsignedDivide(
                    Lanes.Add(WholeParameter(slot + 1), element), WholeParameter(slot + 2)));
            case InputSource.Column:
                return Gather(slot, Lanes.UnsignedRemainder(
                    Lanes.Add(WholeParameter(slot + 1), element), WholeParameter(slot + 2)));
            case InputSource.FiberTogether:
                return Gather(slot, Lanes.UnsignedDivide(element, WholeParameter(slot + 1)));
            default:
                var stride = WholeParameter(slot + 2);
                var group = Lanes.UnsignedDivide(element, WholeParameter(slot + 1));
                return Gather(slot, Lanes.Add(Lanes.Multiply(group, stride), Lanes.UnsignedRemainder(element, stride)));
        }
    }

    private Real Stored(int index)
    {
        var type = _inputs[index].Type;
        var kind = type switch { DType.F32 => Kind.Real, DType.F64 => Kind.Double, _ => Kind.Whole };
        var stored = _body.Add(new(Code.Load, kind, Stream: index));
        return type switch
        {
            DType.F32 => new(_body, stored),
            DType.F64 => Narrow(stored),
            DType.BF16 => Convert.FromBF16(new(_body, stored)),
            _ => Convert.FromF16(new(_body, stored)),
        };
    }

    private Real Stored(DType type, Whole[] words, int place)
    {
        switch (type)
        {
            case DType.F32:
                return Lanes.AsNumber(words[place]);
            case DType.F64:
                var (low, high) = (words[2 * place], words[(2 * place) + 1]);
                return Narrow(_body.Add(new(Code.Join, Kind.Double, low.In(_body), high.In(_body))));
        }
        var word = words[place / 2];
        var half = place % 2 == 0 ? Lanes.And(word, Whole.Of(0xffff)) : Lanes.ShiftRightUnsigned(word, 16);
        return type == DType.BF16 ? Convert.FromBF16(half) : Convert.FromF16(half);
    }

    private Real Narrow(int value) => _body.AddReal(new(Code.Narrow, Kind.Real, value));

    // Word e mod 4 of counter e / 4. A pack begins with a counter's first word.
    private Real Uniform(int slot, int place)
    {
        var first = _body.Add(new(Code.Widen, Kind.Long, _body.Add(new(Code.Element, Kind.Whole))));
        var start = _body.Add(new(Code.Parameter, Kind.Long, Stream: ParameterSlots.Start));
        var index = _body.Add(new(Code.LongAdd, Kind.Long, start, first));
        var counter = _body.Add(new(Code.LongShiftRight, Kind.Long, index, Whole.Of(2).In(_body)));
        if (place >= 4)
        {
            var ahead = _body.Add(new(Code.Widen, Kind.Long, Whole.Of(place / 4).In(_body)));
            counter = _body.Add(new(Code.LongAdd, Kind.Long, counter, ahead));
        }
        var words = DrawnWords.Of(
            _body.AddWhole(new(Code.LowHalf, Kind.Whole, counter)),
            _body.AddWhole(new(Code.HighHalf, Kind.Whole, counter)),
            WholeParameter(slot + 1),
            WholeParameter(slot),
            _body.AddWhole(new(Code.Parameter, Kind.Whole, Stream: slot, Offset: 1)));
        var word = _pack > 1
            ? words[place % 4]
            : Chosen(words, Lanes.And(_body.AddWhole(new(Code.LowHalf, Kind.Whole, index)), Whole.Of(3)));
        return Lanes.Multiply(Lanes.ToNumber(Lanes.ShiftRightUnsigned(word, 8)), Real.Of(Philox.Scale));
    }

    private static Whole Chosen(Whole[] words, Whole index)
    {
        var chosen = words[3];
        for (var k = 2; k >= 0; k--)
            chosen = Lanes.Where(Lanes.Less(index, Whole.Of(k + 1)), words[k], chosen);
        return chosen;
    }

    private Real Gather(int slot, Whole index) =>
        _body.AddReal(new(Code.Gather, Kind.Real, index.In(_body), Stream: slot));

    private Real RealParameter(int slot) => _body.AddReal(new(Code.Parameter, Kind.Real, Stream: slot));

    private Whole WholeParameter(int slot) => _body.AddWhole(new(Code.Parameter, Kind.Whole, Stream: slot));

    private int Words(DType type) => _pack * type.Bits() / 32;

    private void LoadWords(int stream, int first, Whole[] words)
    {
        var load = _body.Add(new(Code.LoadWords, Kind.Whole, Stream: stream, Offset: first));
        words[first] = new(_body, load);
        for (var w = 1; w < WordsAtOnce; w++)
            words[first + w] = _body.AddWhole(new(Code.NextWord, Kind.Whole, load, Offset: w));
    }

    private void StoreAll(int output, DType type, Real[] values)
    {
        var stream = _inputs.Length + output;
        if (_pack == 1)
        {
            _body.Add(new(
                Code.Store, type switch { DType.F32 => Kind.Real, DType.F64 => Kind.Double, _ => Kind.Whole },
                Encoded(type, values[0]), Stream: stream));
            return;
        }
        List<int> words = [];
        for (var place = 0; place < _pack; place++)
        {
            switch (type)
            {
                case DType.F32:
                    words.Add(Lanes.AsBits(Convert.Canonical(values[place])).In(_body));
                    break;
                case DType.F64:
                    var bits = Encoded(type, values[place]);
                    words.Add(_body.Add(new(Code.LowHalf, Kind.Whole, bits)));
                    words.Add(_body.Add(new(Code.HighHalf, Kind.Whole, bits)));
                    break;
                default:
                    if (place % 2 == 1)
                        break;
                    var (low, high) = (Half(type, values[place]), Half(type, values[place + 1]));
                    words.Add(Lanes.Or(Lanes.And(low, Whole.Of(0xffff)), Lanes.ShiftLeft(high, 16)).In(_body));
                    break;
            }
        }
        for (var w = 0; w < words.Count; w += WordsAtOnce)
        {
            _body.Add(new(
                Code.StoreWords, Kind.Whole, words[w], words[w + 1], words[w + 2], words[w + 3], Stream: stream, Offset: w));
        }
    }

    private int Encoded(DType type, Real value) => type switch
    {
        DType.F32 => Convert.Canonical(value).In(_body),
        DType.F64 => _body.Add(new(Code.ToDouble, Kind.Double, Convert.Canonical(value).In(_body))),
        _ => Half(type, value).In(_body),
    };

    private static Whole Half(DType type, Real value) => type == DType.BF16 ? Convert.ToBF16(value) : Convert.ToF16(value);
}

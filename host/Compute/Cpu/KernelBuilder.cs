using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>
/// Splits a recording into stages: element-wise loops each, then what needs its values before the next stage (an
/// operation along an axis, an author's loop). Every device runs the same stages.
/// </summary>
internal sealed class KernelBuilder
{
    // Up to this many elements a slab's operands are kept between stages; larger ones are computed again.
    private const long LargestKeptSlab = 1 << 16;

    // A loop has at most so many steps, unless a single output needs more.
    private const int MostSteps = 256;

    private readonly Recording _recording;
    private readonly IReadOnlyList<DType> _inputTypes;
    private readonly IReadOnlyList<DType> _outputTypes;
    private readonly ulong _key;
    private readonly DrawMemory? _draws;
    private readonly int[] _level;
    private readonly int _slab;
    // Values of the whole slab that earlier stages left; tiles that leaves are computed into; numbers a fiber.
    private readonly Dictionary<int, ScratchValue> _values = [];
    private readonly Dictionary<int, ScratchValue> _tiles = [];
    private readonly Dictionary<int, (Fibers Fibers, long Numbers, ScratchValue Tile)> _repeated = [];
    // Of the stage being built.
    private readonly Dictionary<int, (ILeaf, ScratchValue)> _leaves = [];
    private readonly Dictionary<int, (Fibers, long, ScratchValue)> _repeats = [];
    private readonly Dictionary<int, ScratchValue> _decoded = [];
    private long _scratch;

    public KernelBuilder(
        Recording recording, IReadOnlyList<DType> inputTypes, IReadOnlyList<DType> outputTypes, ulong key,
        DrawMemory? draws)
    {
        (_recording, _inputTypes, _outputTypes) = (recording, inputTypes, outputTypes);
        (_key, _draws) = (key, draws);
        _level = new int[recording.Terms.Count];
        for (var i = 0; i < _level.Length; i++)
        {
            var term = recording.Terms[i];
            _level[i] = term.Args.Select(a => _level[a]).DefaultIfEmpty(0).Max() + (IsBarrier(term.Op) ? 1 : 0);
        }
        var unit = checked((int)recording.Unit);
        _slab = unit >= Kernel.Tile ? unit : unit * (Kernel.Tile / Math.Max(unit, 1));
    }

    /// <summary>Whether a row's number times a column's is a leaf, written once: on the processor quicker than two of them.</summary>
    public bool OuterIsLeaf { get; init; } = true;

    public StagedExpressions Build()
    {
        var last = _recording.Roots.Select(r => _level[r]).DefaultIfEmpty(0).Max();
        var stages = new List<Stage>();
        for (var level = 0; level < last; level++)
            stages.Add(BuildStage(level));
        var outputs = _recording.Roots.Select((term, k) => (term, _outputTypes[k], LoopStream.Output(k)));
        stages.Add(BuildLoops([.. outputs], []));
        return new([.. stages], _slab, _scratch, [.. _inputTypes.Select(t => t.Bits() / 8)],
            [.. _outputTypes.Select(t => t.Bits() / 8)]);
    }

    private static bool IsBarrier(Op op) => op is Op.Map or >= Op.SumAlong;

    private static bool IsLeaf(Op op) =>
        op is Op.RowVector or Op.ColumnVector or Op.MatrixView or Op.LowRank or Op.Uniform;

    /// <summary>Whether a term is the product of a row and a column vector: a leaf, as neither streams.</summary>
    private bool IsOuter(int index) => OuterIsLeaf && _recording.Terms[index] is { Op: Op.Multiply, Args: [var a, var b] }
        && (_recording.Terms[a].Op, _recording.Terms[b].Op)
            is (Op.RowVector, Op.ColumnVector) or (Op.ColumnVector, Op.RowVector);

    private Stage BuildStage(int level)
    {
        int[] barriers = [.. Enumerable.Range(0, _level.Length)
            .Where(t => IsBarrier(_recording.Terms[t].Op) && _level[t] == level + 1)];
        var ranked = barriers.Where(t => _recording.Terms[t].Op == Op.RankAlong)
            .Select(t => _recording.Terms[t].Args[0]).ToHashSet();
        var operands = new Dictionary<int, ScratchValue>();
        foreach (var operand in barriers.SelectMany(t => _recording.Terms[t].Args).Distinct())
        {
            operands[operand] = _values.TryGetValue(operand, out var known)
                ? known
                : Value(ofSlab: ranked.Contains(operand) || _slab <= LargestKeptSlab);
        }
        var computed = operands.Where(o => !_values.ContainsValue(o.Value))
            .Select(o => (o.Key, DType.F32, LoopStream.Scratch(o.Value)));
        var stage = BuildLoops([.. computed], [.. barriers.Select(t => Barrier(t, operands))]);

        // Only now: the loop above must compute what later ones find.
        foreach (var (operand, value) in operands.Where(o => o.Value.OfSlab))
            _values[operand] = value;
        return stage;
    }

    private IBarrier Barrier(int index, Dictionary<int, ScratchValue> operands)
    {
        var term = _recording.Terms[index];
        var first = term.Args.Length > 0 ? operands[term.Args[0]] : default;
        if (term.Op == Op.Map)
        {
            _values[index] = Value(ofSlab: true);
            return new MapBarrier(
                ((MapCall)term.Node.Data!).Kernel, [.. term.Args.Select(a => operands[a])], _values[index]);
        }

        var (from, below) = (_recording.SizeFrom(term.Node.Axis), _recording.SizeFrom(term.Node.Axis + 1));
        var fibers = new Fibers((int)(from / below), (int)below);
        if (term.Op == Op.RankAlong)
        {
            _values[index] = Value(ofSlab: true);
            return new AlongRank(fibers, first, Reserve(RankSort.ScratchBytes(fibers.Length)), _values[index].Offset);
        }

        var fiberCount = fibers.CountIn(_slab);
        var numbers = Reserve((long)fiberCount * sizeof(float));
        _repeated[index] = (fibers, numbers, Value(ofSlab: false));
        if (term.Op == Op.MaxAlong)
            return new AlongMax(fibers, first, numbers);
        var sums = Reserve((long)(fibers.Stride == 1 ? LaneSums.Lanes : fiberCount) * sizeof(double));
        return new AlongSum(fibers, first, term.Op == Op.DotAlong ? operands[term.Args[1]] : null, sums, numbers);
    }

    private Stage BuildLoops((int Term, DType Type, LoopStream Stream)[] outputs, IBarrier[] barriers)
    {
        _leaves.Clear();
        _repeats.Clear();
        _decoded.Clear();
        var groups = Grouped(outputs);
        var loops = new List<PlannedLoop>();
        if (groups.Count > 1)
        {
            var decoded = Cone(outputs.Select(o => o.Term))
                .Where(t => _recording.Terms[t] is { Op: Op.Input, Slot: var slot } && _inputTypes[slot] != DType.F32
                    && !_values.ContainsKey(t))
                .ToDictionary(t => t, _ => Value(ofSlab: false));
            if (decoded.Count > 0)
                loops.Add(BuildLoop([.. decoded.Select(d => (d.Key, DType.F32, LoopStream.Scratch(d.Value)))]));
            foreach (var (term, value) in decoded)
                _decoded.Add(term, value);
        }
        loops.AddRange(groups.Select(BuildLoop));
        return new Stage([.. _leaves.Values], [.. _repeats.Values], [.. loops], barriers);
    }

    // Long loops take long to compile and have no registers left, and what a compiler follows in a method is limited.
    private List<(int Term, DType Type, LoopStream Stream)[]> Grouped((int Term, DType, LoopStream)[] outputs)
    {
        var groups = new List<(int, DType, LoopStream)[]>();
        var reached = new HashSet<int>();
        var first = 0;
        for (var k = 0; k < outputs.Length; k++)
        {
            Reach(outputs[k].Term, reached);
            if (k == first || reached.Count <= MostSteps)
                continue;
            groups.Add(outputs[first..k]);
            first = k;
            reached.Clear();
            Reach(outputs[k].Term, reached);
        }
        if (first < outputs.Length)
            groups.Add(outputs[first..]);
        return groups;
    }

    /// <summary>Adds what a loop would have to compute for a term.</summary>
    private void Reach(int root, HashSet<int> reached)
    {
        var open = new Stack<int>([root]);
        while (open.TryPop(out var term))
        {
            if (!reached.Add(term) || _values.ContainsKey(term) || _repeated.ContainsKey(term) || IsOuter(term))
                continue;
            foreach (var argument in _recording.Terms[term].Args)
                open.Push(argument);
        }
    }

    private PlannedLoop BuildLoop((int Term, DType Type, LoopStream Stream)[] outputs)
    {
        var steps = new List<LoopStep>();
        var stepOf = new Dictionary<int, int>();
        var inputTypes = new List<DType>();
        var streams = new List<LoopStream>();
        var constants = new List<float>();
        var cuts = new List<Cut>();

        LoopStep Stream(DType type, LoopStream stream)
        {
            inputTypes.Add(type);
            streams.Add(stream);
            return new(Op.Input, inputTypes.Count - 1);
        }

        LoopStep Step(int index)
        {
            var term = _recording.Terms[index];
            if (_values.TryGetValue(index, out var value) || _decoded.TryGetValue(index, out value))
                return Stream(DType.F32, LoopStream.Scratch(value));
            if (_repeated.TryGetValue(index, out var repeated))
            {
                _repeats.TryAdd(index, repeated);
                return Stream(DType.F32, LoopStream.Scratch(repeated.Tile));
            }
            if (IsLeaf(term.Op) || IsOuter(index))
            {
                var tile = _tiles.TryGetValue(index, out var known) ? known : _tiles[index] = Value(ofSlab: false);
                _leaves.TryAdd(index, (Leaf(index), tile));
                return Stream(DType.F32, LoopStream.Scratch(tile));
            }
            switch (term.Op)
            {
                case Op.Input:
                    return Stream(_inputTypes[term.Slot], LoopStream.Input(term.Slot));
                case Op.Constant:
                    constants.Add(term.Node.Value);
                    return new(Op.Constant, constants.Count - 1);
                case Op.KeptBy:
                    var cut = (Cut)term.Node.Data!;
                    cuts.Add(cut);
                    return new(Op.KeptBy, stepOf[term.Args[0]], cuts.Count - 1, float.IsNaN(cut.Value) ? 1 : 0);
                default:
                    int Argument(int k) => k < term.Args.Length ? stepOf[term.Args[k]] : -1;
                    return new(term.Op, Argument(0), Argument(1), Argument(2));
            }
        }

        foreach (var index in Cone(outputs.Select(o => o.Term)))
        {
            steps.Add(Step(index));
            stepOf[index] = steps.Count - 1;
        }
        var shape = new LoopShape(inputTypes, steps, [.. outputs.Select(o => (stepOf[o.Term], o.Type))]);
        return new(shape, new([.. constants], [.. cuts]), [.. streams, .. outputs.Select(o => o.Stream)]);
    }

    /// <summary>What a loop computes, in order: back to streams, leaves and values that earlier stages left.</summary>
    private IEnumerable<int> Cone(IEnumerable<int> roots)
    {
        var needed = new bool[_recording.Terms.Count];
        foreach (var root in roots)
            needed[root] = true;
        for (var i = needed.Length - 1; i >= 0; i--)
        {
            var known = _values.ContainsKey(i) || _repeated.ContainsKey(i);
            if (!needed[i] || known || IsOuter(i))
                continue;
            foreach (var argument in _recording.Terms[i].Args)
                needed[argument] = true;
        }
        return Enumerable.Range(0, needed.Length).Where(i => needed[i]);
    }

    private ILeaf Leaf(int index)
    {
        var term = _recording.Terms[index];
        return term.Op switch
        {
            Op.RowVector => new RowVectorLeaf((float[])term.Node.Data!, _recording.Tensor.RowLength),
            Op.ColumnVector => new ColumnVectorLeaf((float[])term.Node.Data!),
            Op.Multiply => new OuterLeaf(Vector(Op.RowVector), Vector(Op.ColumnVector)),
            Op.MatrixView => new MatrixLeaf((Matrix)term.Node.Data!),
            Op.LowRank => LowRank(((Matrix, Matrix))term.Node.Data!),
            _ when _draws is not null && ThresholdOf(index) is { } threshold =>
                _draws.Leaf(_key, term.Node.Stream, threshold),
            _ => new UniformLeaf(_key, term.Node.Stream),
        };

        float[] Vector(Op op) => (float[])_recording.Terms[term.Args.Single(a => _recording.Terms[a].Op == op)].Node.Data!;
    }

    /// <summary>The number a term is compared with, where that is all it is used for; else null.</summary>
    private float? ThresholdOf(int index)
    {
        Term[] users = [.. _recording.Terms.Where(t => t.Args.Contains(index))];
        if (users.Length == 0 || _recording.Roots.Contains(index)
            || !users.All(t => t.Op == Op.Less && t.Args[0] == index && _recording.Terms[t.Args[1]].Op == Op.Constant))
        {
            return null;
        }
        float[] thresholds = [.. users.Select(t => _recording.Terms[t.Args[1]].Node.Value).Distinct()];
        return thresholds.Length == 1 ? thresholds[0] : null;
    }

    private static LowRankLeaf LowRank((Matrix B, Matrix A) factors) => new(factors.B, factors.A);

    private ScratchValue Value(bool ofSlab) =>
        new(Reserve((long)(ofSlab ? _slab : Math.Min(_slab, Kernel.Tile)) * sizeof(float)), ofSlab);

    private long Reserve(long bytes)
    {
        var offset = _scratch;
        _scratch += (bytes + 63) / 64 * 64;
        return offset;
    }
}

using System.Runtime.InteropServices;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu.Drivers;
using Merge.Compute.Gpu.Emission;
using Merge.Sdk;

namespace Merge.Compute.Gpu;

/// <summary>
/// Makes a device's kernel of the stages that the processor runs, too: its loops become programs, leaves and repeated
/// numbers are read within them, operations along axes are fixed kernels. What is scratch there is memory for a whole
/// block here.
/// </summary>
internal sealed class GpuKernelBuilder
{
    private readonly GpuDevice _device;
    private readonly StagedExpressions _staged;
    private readonly List<GpuRegion> _regions = [];
    private readonly List<Action<GpuLane, GpuBlock>> _launches = [];
    private readonly Dictionary<long, int> _values = [];
    private readonly Dictionary<ILeaf, int> _tables = new(ReferenceEqualityComparer.Instance);

    private GpuKernelBuilder(GpuDevice device, StagedExpressions staged)
    {
        (_device, _staged) = (device, staged);
        foreach (var size in staged.InputSizes.Concat(staged.OutputSizes))
            Region(b => (long)b.Count * size);
    }

    public static GpuKernel Build(GpuDevice device, StagedExpressions staged)
    {
        var builder = new GpuKernelBuilder(device, staged);
        foreach (var stage in staged.Stages)
            builder.Add(stage);
        return new(
            device, [.. builder._regions], staged.InputSizes, staged.OutputSizes, [.. builder._launches]);
    }

    private int Region(Func<GpuBlock, long> bytes, Action<GpuBlock, nint>? fill = null)
    {
        _regions.Add(new(bytes, fill));
        return _regions.Count - 1;
    }

    private void Add(Stage stage)
    {
        var leaves = stage.Leaves.ToDictionary(l => l.Target.Offset, l => l.Leaf);
        var repeats = stage.Repeats.ToDictionary(r => r.Target.Offset, r => (r.Fibers, Numbers(r.Numbers, r.Fibers)));
        foreach (var loop in stage.Loops)
            Add(loop, leaves, repeats);
        foreach (var barrier in stage.Barriers)
        {
            if (barrier is AlongMax max)
                Add(max);
            else
                Add((AlongSum)barrier);
        }
    }

    /// <summary>A float32 an element that passes between kernels.</summary>
    private int Value(ScratchValue value) => _values.TryGetValue(value.Offset, out var known)
        ? known
        : _values[value.Offset] = Region(b => (long)b.Count * sizeof(float));

    private int Numbers(long offset, Fibers fibers) => _values.TryGetValue(offset, out var known)
        ? known
        : _values[offset] = Region(b => (long)fibers.CountIn(b.Count) * sizeof(float));

    private void Add(
        PlannedLoop loop, Dictionary<long, ILeaf> leaves, Dictionary<long, (Fibers Fibers, int Numbers)> repeats)
    {
        var (shape, numbers) = (loop.Shape, loop.Numbers);
        var slots = LoopBody.SlotsOf(shape);
        var inputs = new LoopInput[shape.Inputs.Count];
        var parameters = new Func<GpuBlock, int, ulong>[shape.Inputs.Count];
        for (var k = 0; k < inputs.Length; k++)
        {
            (inputs[k], parameters[k]) = loop.Streams[k] switch
            {
                { Kind: LoopStream.Place.Scratch, Value.Offset: var at } when leaves.TryGetValue(at, out var leaf) => Leaf(leaf),
                { Kind: LoopStream.Place.Scratch, Value.Offset: var at } when repeats.TryGetValue(at, out var r) => Repeat(r.Fibers, r.Numbers),
                var stream => Stream(RegionOf(stream), shape.Inputs[k]),
            };
        }
        int[] outputs = [.. loop.Streams[inputs.Length..].Select(RegionOf)];
        var constants = numbers.Constants.Concat(numbers.Cuts.Select(c => c.Value)).Select(BitConverter.SingleToUInt32Bits).ToArray();

        var block = Region(_ => slots.Count * sizeof(ulong), (b, target) =>
        {
            var places = Words(target, slots.Count);
            places[ParameterSlots.Start] = (ulong)b.Start;
            for (var k = 0; k < inputs.Length; k++)
            {
                for (var i = 0; i < 3; i++)
                    places[ParameterSlots.Input(k) + i] = parameters[k](b, i);
            }
            for (var k = 0; k < outputs.Length; k++)
                places[slots.Output(k)] = (ulong)b.At[outputs[k]];
            for (var k = 0; k < constants.Length; k++)
                places[slots.Constant(k)] = constants[k];
            for (var k = 0; k < numbers.Cuts.Length; k++)
                places[slots.CutLimit(k)] = (ulong)Math.Clamp(numbers.Cuts[k].IndexLimit - b.Start, 0, int.MaxValue);
        });
        var program = _device.Loop(shape, inputs);
        _launches.Add((lane, b) => Launch(lane, b, program, block));
    }

    private static unsafe Span<ulong> Words(nint at, int count) => new((void*)at, count);

    // Packs where they pay; random numbers come four at once, so only from a multiple of four on.
    private static void Launch(GpuLane lane, GpuBlock block, LoopProgram program, int parameters)
    {
        const int LeastForPacks = 1 << 12;
        var first = 0u;
        if (program.Pack > 1 && block.Count >= LeastForPacks && block.Start % 4 == 0)
        {
            first = (uint)(block.Count - (block.Count % program.Pack));
            Queue(program.Packed, program.Pack, 0, first);
        }
        if (first < block.Count)
            Queue(program.Single, 1, first, (uint)block.Count);

        void Queue(DeviceModule module, int elements, uint from, uint to) => lane.Stream.Launch(
            lane.Kernel(module, LoopProgram.KernelName), LaunchShape.Over((to - from) / elements),
            lane.Memory, block.At[parameters], from, to);
    }

    private int RegionOf(LoopStream stream) => stream.Kind switch
    {
        LoopStream.Place.Input => stream.Slot,
        LoopStream.Place.Output => _staged.InputSizes.Length + stream.Slot,
        _ => Value(stream.Value),
    };

    private static (LoopInput, Func<GpuBlock, int, ulong>) Stream(int region, DType type) =>
        (new(InputSource.Stream, type), (b, _) => (ulong)b.At[region]);

    private static (LoopInput, Func<GpuBlock, int, ulong>) Repeat(Fibers fibers, int numbers) =>
        fibers.Stride == 1
            ? (new(InputSource.FiberTogether, DType.F32), (b, i) => i == 0 ? (ulong)b.At[numbers] : (ulong)fibers.Length)
            : (new(InputSource.Fiber, DType.F32),
                (b, i) => i switch { 0 => (ulong)b.At[numbers], 1 => (ulong)fibers.Group, _ => (ulong)fibers.Stride });

    private (LoopInput, Func<GpuBlock, int, ulong>) Leaf(ILeaf leaf)
    {
        switch (leaf)
        {
            case UniformLeaf uniform:
                return (new(InputSource.Uniform, DType.F32), (_, i) => i == 0 ? uniform.Key : (uint)uniform.Stream);
            case RowVectorLeaf rows:
                var rowTable = Table(leaf, l => Rows((RowVectorLeaf)l));
                return (new(InputSource.Row, DType.F32), (b, i) => i switch
                {
                    0 => (ulong)b.At[rowTable],
                    1 => (ulong)(b.Start % rows.RowLength),
                    _ => (ulong)rows.RowLength,
                });
            case ColumnVectorLeaf columns:
                var length = columns.Values.Length;
                var columnTable = Table(leaf, _ => Region(
                    _ => (long)length * sizeof(float), (_, to) => Copy<float>(columns.Values, to)));
                return (new(InputSource.Column, DType.F32), (b, i) => i switch
                {
                    0 => (ulong)b.At[columnTable],
                    1 => (ulong)(b.Start % length),
                    _ => (ulong)length,
                });
            case MatrixLeaf view:
                return Stream(Table(leaf, _ => Region(
                    b => (long)b.Count * sizeof(double),
                    (b, to) => Copy<double>(view.Matrix.Values.AsSpan((int)b.Start, b.Count), to))), DType.F64);
            default:
                return Stream(Table(leaf, l => LowRank((LowRankLeaf)l)), DType.F32);
        }
    }

    /// <summary>A leaf's numbers, brought to the device once for all loops that read it.</summary>
    private int Table(ILeaf leaf, Func<ILeaf, int> make) =>
        _tables.TryGetValue(leaf, out var known) ? known : _tables[leaf] = make(leaf);

    private int Rows(RowVectorLeaf rows)
    {
        (int First, int Count) Of(GpuBlock b)
        {
            var first = b.Start / rows.RowLength;
            return ((int)first, (int)(((b.Start + b.Count - 1) / rows.RowLength) - first + 1));
        }
        return Region(
            b => (long)Of(b).Count * sizeof(float),
            (b, to) => Copy<float>(rows.Values.AsSpan(Of(b).First, Of(b).Count), to));
    }

    private int LowRank(LowRankLeaf leaf)
    {
        var (rank, columns) = (leaf.B.Columns, leaf.A.Columns);
        (int First, int Count) Rows(GpuBlock b)
        {
            var first = b.Start / columns;
            return ((int)first, (int)(((b.Start + b.Count - 1) / columns) - first + 1));
        }
        var left = Region(
            b => (long)Rows(b).Count * rank * sizeof(double),
            (b, to) => Copy<double>(leaf.B.Values.AsSpan(Rows(b).First * rank, Rows(b).Count * rank), to));
        var right = Region(_ => (long)rank * columns * sizeof(double), (_, to) => Copy<double>(leaf.A.Values, to));
        var product = Region(b => (long)b.Count * sizeof(float));
        _launches.Add((lane, b) => lane.Stream.Launch(
            Fixed(lane, "low_rank"), LaunchShape.Over(b.Count),
            lane.Memory, b.At[left] / sizeof(double), lane.Memory, b.At[right] / sizeof(double),
            (long)rank, (long)columns, b.Start % columns, (long)b.Count, lane.Memory, b.At[product] / sizeof(float)));
        return product;
    }

    private void Add(AlongMax max)
    {
        var (x, to, fibers) = (Value(max.A), Numbers(max.Result, max.Fibers), max.Fibers);
        _launches.Add((lane, b) =>
        {
            long count = fibers.CountIn(b.Count);
            if (fibers.Stride == 1)
            {
                lane.Stream.Launch(
                    Fixed(lane, "row_maxima"), LaunchShape.Over(count * LaunchShape.Usual),
                    lane.Memory, b.At[x] / sizeof(float), count, (long)fibers.Length, lane.Memory, b.At[to] / sizeof(float));
                return;
            }
            lane.Stream.Launch(
                Fixed(lane, "fiber_maxima"), LaunchShape.Over(count),
                lane.Memory, b.At[x] / sizeof(float), count, (long)fibers.Length, (long)fibers.Stride,
                lane.Memory, b.At[to] / sizeof(float));
        });
    }

    private void Add(AlongSum sum)
    {
        var (x, to, fibers) = (Value(sum.A), Numbers(sum.Result, sum.Fibers), sum.Fibers);
        var y = sum.B is { } second ? Value(second) : x;
        var hasProducts = sum.B is null ? 0 : 1;
        if (fibers.Stride > 1)
        {
            _launches.Add((lane, b) => lane.Stream.Launch(
                Fixed(lane, "fiber_sums"), LaunchShape.Over(fibers.CountIn(b.Count)),
                lane.Memory, b.At[x] / sizeof(float), lane.Memory, b.At[y] / sizeof(float), hasProducts,
                (long)fibers.CountIn(b.Count), (long)fibers.Length, (long)fibers.Stride,
                lane.Memory, b.At[to] / sizeof(float)));
            return;
        }
        const int LanesOfSum = 64;
        var sums = Region(b => (long)fibers.CountIn(b.Count) * sizeof(double));
        _launches.Add((lane, b) =>
        {
            long count = fibers.CountIn(b.Count);
            lane.Stream.Launch(
                Fixed(lane, "lane_sums"), LaunchShape.Over(count * LanesOfSum),
                lane.Memory, b.At[x] / sizeof(float), lane.Memory, b.At[y] / sizeof(float), hasProducts,
                (long)b.Count, (long)fibers.Length, lane.Memory, b.At[sums] / sizeof(double));
            lane.Stream.Launch(
                Fixed(lane, "convert"), LaunchShape.Over(count),
                lane.Memory, b.At[sums], StoredType.Of(DType.F64), lane.Memory, b.At[to],
                StoredType.Of(DType.F32), count);
        });
    }

    private DeviceKernel Fixed(GpuLane lane, string name) => lane.Kernel(_device.Fixed, name);

    private static unsafe void Copy<T>(ReadOnlySpan<T> values, nint to)
        where T : unmanaged =>
        MemoryMarshal.AsBytes(values).CopyTo(new((void*)to, checked(values.Length * sizeof(T))));
}

using System.Numerics;
using System.Runtime.CompilerServices;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>How many elements of a mask are set.</summary>
internal sealed unsafe class CountReduction(Node mask, Action<long> result) : Reduction
{
    public override IReadOnlyList<Node> Operands => [mask];

    public override bool IsForDevices => true;

    public override long BytesPerSegment => 64;

    public override IReductionPart Begin(long start, long end) => new Part();

    public override void Finish(IReadOnlyList<IReductionPart> parts) => result(parts.Sum(p => ((Part)p).Set));

    private sealed class Part : IDeviceReductionPart
    {
        public long Set { get; private set; }

        public void Take(long start, DeviceOperands operands) =>
            Set += (long)operands.Sums([(0, -1)], 0, operands.Count, SumReduction.Grain)[0].Sum();

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long start, int count, ReadOnlySpan<nint> operands)
        {
            var values = new ReadOnlySpan<float>((void*)operands[0], count);
            var sums = Vector<float>.Zero;
            var i = 0;

            // A tile's ones add exactly in float32.
            for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
                sums += new Vector<float>(values[i..]);
            Set += (long)Vector.Sum(sums);
            for (; i < count; i++)
                Set += (long)values[i];
        }
    }
}

/// <summary>Smallest and largest element.</summary>
internal sealed unsafe class RangeReduction(Node value, Action<ValueRange> result) : Reduction
{
    public override IReadOnlyList<Node> Operands => [value];

    public override bool IsForDevices => true;

    public override long BytesPerSegment => 64;

    public override IReductionPart Begin(long start, long end) => new Part();

    public override void Finish(IReadOnlyList<IReductionPart> parts)
    {
        var (min, max) = (float.PositiveInfinity, float.NegativeInfinity);
        foreach (Part part in parts)
            (min, max) = (MathF.Min(min, part.Min), MathF.Max(max, part.Max));
        result(new(min, max));
    }

    private sealed class Part : IDeviceReductionPart
    {
        public float Min { get; private set; } = float.PositiveInfinity;

        public float Max { get; private set; } = float.NegativeInfinity;

        public void Take(long start, DeviceOperands operands)
        {
            var (min, max) = operands.Range(0);
            (Min, Max) = (MathF.Min(Min, min), MathF.Max(Max, max));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long start, int count, ReadOnlySpan<nint> operands)
        {
            var values = new ReadOnlySpan<float>((void*)operands[0], count);
            var (min, max) = (new Vector<float>(Min), new Vector<float>(Max));
            var i = 0;
            for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            {
                var lanes = new Vector<float>(values[i..]);
                (min, max) = (Vector.Min(min, lanes), Vector.Max(max, lanes));
            }
            for (var lane = 0; lane < Vector<float>.Count; lane++)
                (Min, Max) = (MathF.Min(Min, min[lane]), MathF.Max(Max, max[lane]));
            for (; i < count; i++)
                (Min, Max) = (MathF.Min(Min, values[i]), MathF.Max(Max, values[i]));
        }
    }
}

/// <summary>Σ along the last axis. Rows are never cut by segments or blocks.</summary>
internal sealed unsafe class RowSumsReduction(TensorInfo info, Node value, Action<double[]> result) : Reduction
{
    private readonly double[] _sums = new double[info.RowCount];

    public override IReadOnlyList<Node> Operands => [value];

    public override long Unit => info.RowLength;

    public override long Bytes => info.RowCount * sizeof(double);

    public override bool IsForDevices => true;

    public override long BytesPerSegment => LaneSums.Lanes * sizeof(double);

    public override IReductionPart Begin(long start, long end) => new Part(_sums, info.RowLength);

    public override void Finish(IReadOnlyList<IReductionPart> parts) => result(_sums);

    private sealed class Part(double[] sums, long rowLength) : IDeviceReductionPart
    {
        private readonly double[] _lanes = new double[LaneSums.Lanes];

        public void Take(long start, DeviceOperands operands) =>
            operands.Sums([(0, -1)], 0, operands.Count, rowLength)[0].CopyTo(sums, start / rowLength);

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long start, int count, ReadOnlySpan<nint> operands)
        {
            var x = (float*)operands[0];
            fixed (double* lanes = _lanes)
            {
                for (var done = 0; done < count;)
                {
                    var position = (start + done) % rowLength;
                    var run = (int)Math.Min(rowLength - position, count - done);
                    LaneSums.Add(lanes, x + done, run, position);
                    if (position + run == rowLength)
                    {
                        sums[(start + done) / rowLength] = LaneSums.Total(lanes, rowLength);
                        Array.Clear(_lanes);
                    }
                    done += run;
                }
            }
        }
    }
}

/// <summary>
/// Σ over all rows. Some rows (their number is fixed by the shape) are summed in order, such groups pairwise.
/// </summary>
internal sealed unsafe class ColumnSumsReduction(TensorInfo info, Node value, Action<double[]> result) : Reduction
{
    private const long SmallestGroup = 1 << 20;

    private readonly long _group = info.RowLength
        * (long)BitOperations.RoundUpToPowerOf2((ulong)((SmallestGroup + info.RowLength - 1) / info.RowLength));

    public override IReadOnlyList<Node> Operands => [value];

    public override bool IsForDevices => true;

    public override long SegmentUnit => _group;

    public override long Bytes => info.RowLength * sizeof(double);

    public override long BytesPerSegment =>
        info.RowLength * sizeof(double) * (2 + (long)Math.Log2((info.Count / _group) + 1));

    public override IReductionPart Begin(long start, long end) => new Part(start, end, info.RowLength, _group);

    public override void Finish(IReadOnlyList<IReductionPart> parts)
    {
        var tree = new PairwiseTree();
        foreach (Part part in parts)
            tree.Add(part.Tree);
        result(tree.Total((int)info.RowLength));
    }

    private sealed class Part(long start, long end, long rowLength, long group) : IDeviceReductionPart
    {
        private double[] _sums = new double[rowLength];
        private long _next = start;

        public PairwiseTree Tree { get; } = new();

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long start, int count, ReadOnlySpan<nint> operands)
        {
            var x = (float*)operands[0];
            for (var done = 0; done < count;)
            {
                var column = _next % rowLength;
                var run = (int)Math.Min(rowLength - column, count - done);
                fixed (double* sums = &_sums[column])
                    LaneSums.AddEach(sums, x + done, run);
                done += run;
                Move(run);
            }
        }

        public void Take(long start, DeviceOperands operands)
        {
            for (var done = 0; done < operands.Count;)
            {
                // Whole rows up to a group's end, or what the block has of one row.
                var (column, rows, run) = RowRun.At(_next, rowLength, group, operands.Count - done);
                operands.AddColumns(0, done, rows, _sums.AsSpan((int)column, run));
                done += rows * run;
                Move(rows * run);
            }
        }

        private void Move(int count)
        {
            _next += count;
            if (_next % group != 0 && _next != end)
                return;
            Tree.Add((_next - 1) / group, _sums);
            _sums = new double[rowLength];
        }
    }
}

/// <summary>The whole value as a matrix.</summary>
internal sealed unsafe class MaterializeReduction(TensorInfo info, Node value, Action<Matrix> result) : Reduction
{
    // Not before it is known to fit the budget.
    private readonly Lazy<Matrix> _matrix = new(() => new(checked((int)info.RowCount), checked((int)info.RowLength)));

    public override IReadOnlyList<Node> Operands => [value];

    public override long Bytes => info.Count * sizeof(double);

    public override long BytesPerSegment => 64;

    public override IReductionPart Begin(long start, long end) => new Part(_matrix.Value.Values);

    public override void Finish(IReadOnlyList<IReductionPart> parts) => result(_matrix.Value);

    private sealed class Part(double[] values) : IReductionPart
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long start, int count, ReadOnlySpan<nint> operands)
        {
            var x = (float*)operands[0];
            for (var i = 0; i < count; i++)
                values[start + i] = x[i];
        }
    }
}

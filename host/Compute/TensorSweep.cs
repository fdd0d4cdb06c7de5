using Merge.Compute.Cpu;
using Merge.Compute.Gpu;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>
/// One pass over a tensor's bytes for some statistics. The tensor is cut in segments at multiples of
/// <see cref="SegmentLength"/>; different threads may take different segments, one thread takes a segment's elements in
/// order.
/// </summary>
internal sealed unsafe class TensorSweep
{
    private readonly TensorInfo _info;
    private readonly IReadOnlyList<Reduction> _reductions;
    private readonly IKernel _kernel;
    private readonly int[][] _operands;
    private readonly int _rootCount;
    private readonly long _runLength;

    /// <param name="info">The tensor.</param>
    /// <param name="reductions">What it feeds.</param>
    /// <param name="segmentLength">See <see cref="SegmentLength"/>.</param>
    /// <param name="compiler">Makes the kernel.</param>
    /// <param name="inputType">Stored type of a streamed tensor.</param>
    /// <param name="seed">The recipe's.</param>
    /// <param name="substitute">See <see cref="Recording.Of"/>.</param>
    /// <param name="draws">See <see cref="ICompiler.Compile"/>.</param>
    /// <param name="runLength">Elements of each segment that are enough, whichever: a sample. 0: all.</param>
    public TensorSweep(
        TensorInfo info, IReadOnlyList<Reduction> reductions, long segmentLength, ICompiler compiler,
        Func<InputKey, DType> inputType, ulong seed, Func<InputKey, Node?>? substitute,
        DrawMemory? draws = null, long runLength = 0)
    {
        (_info, _reductions, SegmentLength, _runLength) = (info, reductions, segmentLength, runLength);
        Node[] operands = [.. reductions.SelectMany(r => r.Operands)];
        var all = Recording.Of(info, operands, substitute);

        // Operands that are equal are evaluated once.
        Node[] distinct = [.. operands.Zip(all.Roots).DistinctBy(o => o.Second).Select(o => o.First)];
        int[] terms = [.. all.Roots.Distinct()];
        var place = terms.Index().ToDictionary(t => t.Item, t => t.Index);
        var next = 0;
        _operands = [.. reductions.Select(r => r.Operands.Select(_ => place[all.Roots[next++]]).ToArray())];

        var recording = Recording.Of(info, distinct, substitute);
        _rootCount = distinct.Length;
        Inputs = recording.Inputs;
        Unit = UnitOf(info, reductions, recording);
        HasMap = recording.HasMap;
        _kernel = compiler.CompileOperands(
            recording, [.. Inputs.Select(inputType)], info.Name, seed, reductions.All(r => r.IsForDevices), draws);
    }

    /// <summary>Streamed tensors it reads, in slot order.</summary>
    public IReadOnlyList<InputKey> Inputs { get; }

    /// <summary>Blocks begin and end at multiples of this.</summary>
    public long Unit { get; }

    /// <summary>A multiple of <see cref="Unit"/>; the last segment may be shorter.</summary>
    public long SegmentLength { get; }

    /// <summary>Whether an author's own loop is in it.</summary>
    public bool HasMap { get; }

    /// <summary>Bytes of <see cref="Workspace"/> a thread needs.</summary>
    public long ScratchBytes => _kernel.ScratchBytes + ((long)_rootCount * BufferLength * sizeof(float));

    /// <summary>Bytes held at most, however many threads there are, in this sweep or one that may follow.</summary>
    public long SharedBytes => _reductions.Sum(r => r.Bytes);

    /// <summary>Bytes held, however many threads there are, from this sweep on.</summary>
    public long HeldBytes => _reductions.Sum(r => r.HeldBytes);

    /// <summary>Bytes held for every segment that is begun and not run to its end; much less after.</summary>
    public long SegmentBytes => _reductions.Sum(r => r.BytesPerSegment);

    /// <summary>Whether it looks at a small part only.</summary>
    public bool IsSample => _runLength > 0;

    /// <summary>
    /// Which elements of the segment at a multiple of <see cref="SegmentLength"/> are to be read. Where start and end
    /// are the same the segment may be left out (of <see cref="Finish"/>, too).
    /// </summary>
    public (long Start, long End) Needs(long segmentStart)
    {
        var segmentEnd = Math.Min(segmentStart + SegmentLength, _info.Count);
        if (IsSample)
            return RunIn(segmentStart, segmentEnd);
        var (start, end) = (segmentEnd, segmentStart);
        foreach (var reduction in _reductions)
        {
            var needs = reduction.Needs(segmentStart, segmentEnd);
            if (needs.Start < needs.End)
                (start, end) = (Math.Min(start, needs.Start), Math.Max(end, needs.End));
        }
        return start >= end
            ? (segmentStart, segmentStart)
            : (start / Unit * Unit, Math.Min((end + Unit - 1) / Unit * Unit, segmentEnd));
    }

    /// <summary>Begins elements of a segment: what it <see cref="Needs"/>, or the whole.</summary>
    public SweepSegment Begin(long start, long end) => new(start, [.. _reductions.Select(r => r.Begin(start, end))]);

    /// <summary>Takes the segment's next elements.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="start">Index of the first: where the last call ended.</param>
    /// <param name="count">How many; they end at a multiple of <see cref="Unit"/>.</param>
    /// <param name="inputs">For every slot the address of the first element's bytes.</param>
    /// <param name="workspace">The thread's.</param>
    public void Run(SweepSegment segment, long start, int count, ReadOnlySpan<nint> inputs, Workspace workspace)
    {
        var memory = (nint)workspace.Reserve(Scratch.Sweep, (long)_rootCount * BufferLength * sizeof(float));
        nint[] tiles = [.. Enumerable.Range(0, _rootCount).Select(k => memory + (k * BufferLength * sizeof(float)))];
        if (_kernel is GpuKernel onDevice)
            onDevice.Run(start, count, inputs, workspace, values => Take(segment, start, values, tiles));
        else
            _kernel.RunTiles(start, count, inputs, tiles, workspace, new Taker(_operands, tiles, segment.Parts));
    }

    // Elements that are read at once of what a device evaluated.
    private int BufferLength => _kernel is GpuKernel ? 16 * Kernel.Tile : Kernel.Tile;

    /// <summary>Gives a device's values to those that reduce them there; reads them for the others.</summary>
    private void Take(SweepSegment segment, long start, DeviceOperands values, nint[] buffers)
    {
        var others = new List<int>();
        for (var k = 0; k < _operands.Length; k++)
        {
            if (segment.Parts[k] is IDeviceReductionPart part)
                part.Take(start, values.Of(_operands[k]));
            else
                others.Add(k);
        }
        if (others.Count == 0)
            return;
        int[] read = [.. others.SelectMany(k => _operands[k]).Distinct()];
        var taker = new Taker([.. others.Select(k => _operands[k])], buffers, [.. others.Select(k => segment.Parts[k])]);
        for (var first = 0; first < values.Count; first += BufferLength)
        {
            var length = Math.Min(BufferLength, values.Count - first);
            foreach (var operand in read)
                values.Read(operand, first, new Span<float>((void*)buffers[operand], length));
            taker.TakeAll(start + first, length);
        }
    }

    /// <summary>Takes all segments that were wanted, in order, all run to their end.</summary>
    public void Finish(IReadOnlyList<SweepSegment> inOrder)
    {
        for (var k = 0; k < _reductions.Count; k++)
            _reductions[k].Finish([.. inOrder.Select(s => s.Parts[k])]);
    }

    /// <summary>What blocks must be multiples of, for some statistics of a tensor.</summary>
    public static long UnitOf(TensorInfo info, IReadOnlyList<Reduction> reductions, Recording recording) =>
        Math.Max(recording.Unit, reductions.Max(r => r.Unit));

    // Not always at the same place of its segment: a tensor's columns repeat.
    private (long Start, long End) RunIn(long start, long end)
    {
        var places = Math.Max(((end - start - _runLength) / Unit) + 1, 1);
        var (word, _, _, _) = Philox.Words(((uint)(start / SegmentLength), 0, 0, 0), 0);
        var first = start + (word % places * Unit);
        return (first, Math.Min(first + _runLength, end));
    }

    private sealed class Taker(int[][] operands, nint[] tiles, IReductionPart[] parts) : ITileTaker
    {
        private readonly int _most = operands.Max(o => o.Length);

        public void Take(long start, int count) => Take(start, 0, count);

        /// <summary>Takes several tiles.</summary>
        public void TakeAll(long start, int count)
        {
            for (var done = 0; done < count; done += Kernel.Tile)
                Take(start + done, done, Math.Min(Kernel.Tile, count - done));
        }

        private void Take(long start, int offset, int count)
        {
            var values = stackalloc nint[_most];
            for (var k = 0; k < parts.Length; k++)
            {
                for (var i = 0; i < operands[k].Length; i++)
                    values[i] = tiles[operands[k][i]] + (offset * sizeof(float));
                parts[k].Take(start, count, new(values, operands[k].Length));
            }
        }
    }
}

/// <summary>What was gathered of one segment; belongs to one thread at a time.</summary>
internal sealed class SweepSegment(long start, IReductionPart[] parts)
{
    public long Start { get; } = start;

    public IReductionPart[] Parts { get; } = parts;
}

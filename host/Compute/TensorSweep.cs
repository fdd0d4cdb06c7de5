using Merge.Compute.Cpu;
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

    public TensorSweep(
        TensorInfo info, IReadOnlyList<Reduction> reductions, long segmentLength, CpuCompiler compiler,
        Func<InputKey, DType> inputType, ulong seed, Func<InputKey, Node?>? substitute)
    {
        (_info, _reductions, SegmentLength) = (info, reductions, segmentLength);
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
        _kernel = compiler.Compile(
            recording, [.. Inputs.Select(inputType)], [.. distinct.Select(_ => DType.F32)], info.Name, seed);
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
    public long ScratchBytes => _kernel.ScratchBytes + ((long)_rootCount * Kernel.Tile * sizeof(float));

    /// <summary>Bytes held while it runs, however many threads there are.</summary>
    public long SharedBytes => _reductions.Sum(r => r.Bytes);

    /// <summary>Bytes held for every segment that is begun and not run to its end; much less after.</summary>
    public long SegmentBytes => _reductions.Sum(r => r.BytesPerSegment);

    /// <summary>False where a segment need not be read: it may be left out (of <see cref="Finish"/>, too).</summary>
    public bool Wants(long segmentStart) => _reductions.Any(r => r.WantsSegment(segmentStart));

    /// <summary>Begins the segment at a multiple of <see cref="SegmentLength"/>.</summary>
    public SweepSegment Begin(long start)
    {
        var end = Math.Min(start + SegmentLength, _info.Count);
        return new(start, [.. _reductions.Select(r => r.Begin(start, end))]);
    }

    /// <summary>Takes the segment's next elements.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="start">Index of the first: where the last call ended.</param>
    /// <param name="count">How many; they end at a multiple of <see cref="Unit"/>.</param>
    /// <param name="inputs">For every slot the address of the first element's bytes.</param>
    /// <param name="workspace">The thread's.</param>
    public void Run(SweepSegment segment, long start, int count, ReadOnlySpan<nint> inputs, Workspace workspace)
    {
        var memory = (nint)workspace.Reserve(Scratch.Sweep, (long)_rootCount * Kernel.Tile * sizeof(float));
        nint[] tiles = [.. Enumerable.Range(0, _rootCount).Select(k => memory + (k * Kernel.Tile * sizeof(float)))];
        _kernel.RunTiles(start, count, inputs, tiles, workspace, new Taker(_operands, tiles, segment.Parts));
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

    private sealed class Taker(int[][] operands, nint[] tiles, IReductionPart[] parts) : ITileTaker
    {
        private readonly int _most = operands.Max(o => o.Length);

        public void Take(long start, int count)
        {
            var values = stackalloc nint[_most];
            for (var k = 0; k < parts.Length; k++)
            {
                for (var i = 0; i < operands[k].Length; i++)
                    values[i] = tiles[operands[k][i]];
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

namespace Merge.Compute.Cpu;

/// <summary>Where a loop's stream lies: in an input or output of the kernel, or in its scratch.</summary>
internal readonly record struct LoopStream(LoopStream.Place Kind, int Slot, ScratchValue Value)
{
    public enum Place
    {
        Input,
        Output,
        Scratch,
    }

    public static LoopStream Input(int slot) => new(Place.Input, slot, default);

    public static LoopStream Output(int slot) => new(Place.Output, slot, default);

    public static LoopStream Scratch(ScratchValue value) => new(Place.Scratch, 0, value);
}

/// <summary>Element-wise loops over a slab, with what they need before and what takes their values after.</summary>
internal sealed record Stage(
    (ILeaf Leaf, ScratchValue Target)[] Leaves,
    (Fibers Fibers, long Numbers, ScratchValue Target)[] Repeats,
    PlannedLoop[] Loops,
    IBarrier[] Barriers);

/// <summary>A loop of a stage and where its inputs, then its outputs lie.</summary>
internal sealed record PlannedLoop(LoopShape Shape, LoopNumbers Numbers, LoopStream[] Streams);

/// <summary>Expressions in stages.</summary>
/// <param name="Stages">In the order they run.</param>
/// <param name="Slab">Elements that pass through all stages together: whole units.</param>
/// <param name="ScratchBytes">Where values pass from stage to stage.</param>
/// <param name="InputSizes">Bytes of an element of every input.</param>
/// <param name="OutputSizes">Bytes of an element of every output.</param>
internal sealed record StagedExpressions(
    Stage[] Stages, int Slab, long ScratchBytes, int[] InputSizes, int[] OutputSizes);

/// <summary>Runs the stages slab by slab, each stage tile by tile.</summary>
/// <param name="staged">The stages.</param>
/// <param name="bind">Makes each loop ready to run.</param>
internal sealed unsafe class Kernel(StagedExpressions staged, Func<PlannedLoop, ILoop> bind) : IKernel
{
    /// <summary>Elements evaluated at once where values pass through scratch: small enough for the nearest cache.</summary>
    public const int Tile = 4096;

    // One loop alone needs no tiles; several read the same inputs, while these are in the nearest caches.
    private readonly bool _needsTiles = staged.ScratchBytes > 0 || staged.Stages.Any(s => s.Loops.Length > 1);

    private readonly int _mostStreams =
        staged.Stages.SelectMany(s => s.Loops).Select(l => l.Streams.Length).DefaultIfEmpty(0).Max();

    private readonly (Stage Stage, (ILoop Loop, LoopStream[] Streams)[] Loops)[] _stages =
        [.. staged.Stages.Select(s => (s, s.Loops.Select(l => (bind(l), l.Streams)).ToArray()))];

    private readonly int[] _inputSizes = staged.InputSizes;
    private readonly int[] _outputSizes = staged.OutputSizes;

    public long ScratchBytes => staged.ScratchBytes;

    public void Run(
        long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> outputs, Workspace workspace) =>
        Run(start, count, inputs, outputs, workspace, null);

    public void RunTiles(
        long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> tiles, Workspace workspace,
        ITileTaker taker) =>
        Run(start, count, inputs, tiles, workspace, taker);

    private void Run(
        long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> outputs, Workspace workspace,
        ITileTaker? taker)
    {
        var scratch = workspace.Reserve(Scratch.Kernel, staged.ScratchBytes);
        var (slabSize, tileSize) = _needsTiles || taker is not null ? (staged.Slab, Tile) : (count, count);
        for (var done = 0; done < count; done += slabSize)
        {
            var size = Math.Min(slabSize, count - done);
            foreach (var (stage, loops) in _stages)
            {
                foreach (var barrier in stage.Barriers)
                    barrier.Begin(scratch, size);
                for (var tile = 0; tile < size; tile += tileSize)
                {
                    var length = Math.Min(tileSize, size - tile);
                    RunTile(
                        stage, loops, start, done, tile, length, inputs, outputs, scratch, workspace, taker is not null);
                    if (stage == _stages[^1].Stage)
                        taker?.Take(start + done + tile, length);
                }
                foreach (var barrier in stage.Barriers)
                    barrier.Finish(scratch, size);
            }
            if (count - done <= slabSize)
                break;
        }
    }

    private void RunTile(
        Stage stage, (ILoop Loop, LoopStream[] Streams)[] loops, long start, int done, int tile, int length,
        ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> outputs, byte* scratch, Workspace workspace, bool outputsOfTile)
    {
        var first = start + done + tile;
        foreach (var (leaf, target) in stage.Leaves)
            leaf.Fill(first, length, target.At(scratch, tile));
        foreach (var (fibers, numbers, target) in stage.Repeats)
            fibers.Repeat((float*)(scratch + numbers), tile, length, target.At(scratch, tile));
        var addresses = stackalloc nint[_mostStreams];
        foreach (var (loop, streams) in loops)
        {
            for (var k = 0; k < streams.Length; k++)
            {
                var (place, slot, value) = streams[k];
                var element = (nint)(done + tile);
                addresses[k] = place switch
                {
                    LoopStream.Place.Input => inputs[slot] + (element * _inputSizes[slot]),
                    LoopStream.Place.Output => outputs[slot] + (outputsOfTile ? 0 : element * _outputSizes[slot]),
                    _ => (nint)value.At(scratch, tile),
                };
            }
            loop.Run(addresses, first, length, workspace);
        }
        foreach (var barrier in stage.Barriers)
            barrier.Take(scratch, tile, length);
    }
}

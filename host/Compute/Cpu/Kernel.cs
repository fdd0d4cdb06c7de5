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
    (ILoop Loop, LoopStream[] Streams)[] Loops,
    IBarrier[] Barriers);

/// <summary>Runs the stages slab by slab, each stage tile by tile.</summary>
internal sealed unsafe class Kernel(Stage[] stages, int slab, long scratchBytes, int[] inputSizes, int[] outputSizes)
    : IKernel
{
    /// <summary>Elements evaluated at once where values pass through scratch: small enough for the nearest cache.</summary>
    public const int Tile = 4096;

    // One loop alone needs no tiles; several read the same inputs, while these are in the nearest caches.
    private readonly bool _needsTiles = scratchBytes > 0 || stages.Any(s => s.Loops.Length > 1);

    private readonly int _mostStreams =
        stages.SelectMany(s => s.Loops).Select(l => l.Streams.Length).DefaultIfEmpty(0).Max();

    public long ScratchBytes => scratchBytes;

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
        var scratch = workspace.Reserve(Scratch.Kernel, scratchBytes);
        var (slabSize, tileSize) = _needsTiles || taker is not null ? (slab, Tile) : (count, count);
        for (var done = 0; done < count; done += slabSize)
        {
            var size = Math.Min(slabSize, count - done);
            foreach (var stage in stages)
            {
                foreach (var barrier in stage.Barriers)
                    barrier.Begin(scratch, size);
                for (var tile = 0; tile < size; tile += tileSize)
                {
                    var length = Math.Min(tileSize, size - tile);
                    RunTile(stage, start, done, tile, length, inputs, outputs, scratch, workspace, taker is not null);
                    if (stage == stages[^1])
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
        Stage stage, long start, int done, int tile, int length, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> outputs,
        byte* scratch, Workspace workspace, bool outputsOfTile)
    {
        var first = start + done + tile;
        foreach (var (leaf, target) in stage.Leaves)
            leaf.Fill(first, length, target.At(scratch, tile));
        foreach (var (fibers, numbers, target) in stage.Repeats)
            fibers.Repeat((float*)(scratch + numbers), tile, length, target.At(scratch, tile));
        var addresses = stackalloc nint[_mostStreams];
        foreach (var (loop, streams) in stage.Loops)
        {
            for (var k = 0; k < streams.Length; k++)
            {
                var (place, slot, value) = streams[k];
                var element = (nint)(done + tile);
                addresses[k] = place switch
                {
                    LoopStream.Place.Input => inputs[slot] + (element * inputSizes[slot]),
                    LoopStream.Place.Output => outputs[slot] + (outputsOfTile ? 0 : element * outputSizes[slot]),
                    _ => (nint)value.At(scratch, tile),
                };
            }
            loop.Run(addresses, first, length, workspace);
        }
        foreach (var barrier in stage.Barriers)
            barrier.Take(scratch, tile, length);
    }
}

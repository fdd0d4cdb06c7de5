using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Compute.Gpu;

namespace Merge.Merging;

/// <summary>How a run uses the machine. None of it changes a byte of the result.</summary>
internal sealed record RunSettings
{
    /// <summary>Worker threads.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes all workers' buffers and all held statistics may take together.</summary>
    public long Memory { get; init; } = DefaultMemory;

    /// <summary>Whether nobody asked for just this much memory: then it gives way to what a merge cannot do without.</summary>
    public bool MayGrow { get; init; }

    /// <summary>Bytes of inputs and output that one worker handles at a time: about what its caches hold.</summary>
    public int BlockBytes { get; init; } = 1 << 20;

    /// <summary>Whether a generation may keep its checkpoints in memory, where they fit.</summary>
    public bool KeepInputs { get; init; } = true;

    /// <summary>What computes; null: the processor.</summary>
    public GpuDevice? Device { get; init; }

    /// <summary>Elements a tensor must have to be worth the way to the device.</summary>
    public long SmallestOnDevice { get; init; } = 1 << 14;

    public const long DefaultMemory = 192L << 20;

    /// <summary>Bytes with which a method has what it needs: with a larger budget blocks grow, too, to half of it and no further than
    /// <see cref="BlockBytes"/>.</summary>
    /// <param name="each">Bytes of each worker.</param>
    /// <param name="held">Bytes once.</param>
    public long Enough(long each, long held)
    {
        var needed = ((Int128)each * Threads) + held;
        return (long)Int128.Min(Int128.Min(2 * needed, needed + ((Int128)BlockBytes * Threads)), long.MaxValue);
    }

    /// <summary>With at least that much memory; null where somebody asked for less, or where it is more than half of the machine's.</summary>
    public RunSettings? WithRoom(long bytes) =>
        bytes <= Memory ? this : MayGrow && bytes <= GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2 ? this with { Memory = bytes } : null;

    public ICompiler NewCompiler() => Device is null ? new CpuCompiler() : new GpuCompiler(Device, SmallestOnDevice);
}

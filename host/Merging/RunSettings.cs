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

    /// <summary>Bytes of inputs and output that one worker handles at a time: about what its caches hold.</summary>
    public int BlockBytes { get; init; } = 1 << 20;

    /// <summary>Whether a generation may keep its checkpoints in memory, where they fit.</summary>
    public bool KeepInputs { get; init; } = true;

    /// <summary>What computes; null: the processor.</summary>
    public GpuDevice? Device { get; init; }

    /// <summary>Elements a tensor must have to be worth the way to the device.</summary>
    public long SmallestOnDevice { get; init; } = 1 << 14;

    public const long DefaultMemory = 192L << 20;

    public ICompiler NewCompiler() => Device is null ? new CpuCompiler() : new GpuCompiler(Device, SmallestOnDevice);
}

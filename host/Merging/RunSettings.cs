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

    public const long DefaultMemory = 192L << 20;
}

namespace Merge.Compute.Cpu;

/// <summary>Expressions of one tensor, ready to be evaluated block by block, by many threads at once.</summary>
internal interface IKernel
{
    /// <summary>Bytes of <see cref="Workspace"/> a run needs.</summary>
    long ScratchBytes { get; }

    /// <summary>
    /// Evaluates elements [start, start + count). <paramref name="start"/> is a multiple of
    /// <see cref="Recording.Unit"/>, and so is <paramref name="count"/>.
    /// </summary>
    /// <param name="start">Index of the first element.</param>
    /// <param name="count">How many.</param>
    /// <param name="inputs">For every slot the address of element <paramref name="start"/>'s bytes.</param>
    /// <param name="outputs">For every root the address where its bytes go.</param>
    /// <param name="workspace">The caller's own.</param>
    void Run(long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> outputs, Workspace workspace);

    /// <summary>
    /// As <see cref="Run"/>, but every root goes, as float32, to a buffer of <see cref="Kernel.Tile"/> elements again
    /// and again; <paramref name="taker"/> is called, in the order of the elements, whenever the buffers are full.
    /// </summary>
    void RunTiles(
        long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> tiles, Workspace workspace,
        ITileTaker taker);
}

/// <summary>Uses the values of one tile.</summary>
internal interface ITileTaker
{
    void Take(long start, int count);
}

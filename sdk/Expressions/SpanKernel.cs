namespace Merge.Sdk;

/// <summary>
/// An author's own loop over one block. All spans have the block's length; it must set every element of
/// <paramref name="output"/>, may be called by several threads at once, and must give an element the same value
/// however the tensor is cut into blocks.
/// </summary>
/// <param name="inputs">The values of the inputs asked for, in order.</param>
/// <param name="output">Where the result goes.</param>
public delegate void SpanKernel(SpanList inputs, Span<float> output);

/// <summary>The inputs of a <see cref="SpanKernel"/>: spans of one length.</summary>
public readonly unsafe ref struct SpanList
{
    private readonly ReadOnlySpan<nint> _starts;
    private readonly int _length;

    internal SpanList(ReadOnlySpan<nint> starts, int length)
    {
        _starts = starts;
        _length = length;
    }

    /// <summary>How many inputs there are.</summary>
    public int Count => _starts.Length;

    /// <summary>The values of input <paramref name="index"/>.</summary>
    public ReadOnlySpan<float> this[int index] => new((void*)_starts[index], _length);
}

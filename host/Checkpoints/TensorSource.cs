using System.Collections.Immutable;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>A tensor whose bytes can be read from any place: stored as it is, or put together while it is read.</summary>
/// <param name="Name">Its name in the checkpoint.</param>
/// <param name="DType">What its elements read as.</param>
/// <param name="Shape">Sizes, outermost first; empty for a 0-dim tensor. Their product fits a <c>long</c>.</param>
/// <param name="Length">Its bytes: those its dtype and shape need.</param>
internal abstract record TensorSource(string Name, DType DType, ImmutableArray<long> Shape, long Length)
{
    /// <summary>The files it is read from, that of the tensor itself first.</summary>
    public abstract IEnumerable<CheckpointFile> Files { get; }

    /// <summary>Bytes of files that one pass over it reads.</summary>
    public virtual long StoredBytes => Length;

    /// <summary>What an output that keeps this tensor's dtype is written as: that of the bytes it is made from.</summary>
    public virtual DType OutputType => DType;

    /// <summary>Reads are quickest in whole multiples of so many elements, from such a multiple on.</summary>
    public virtual long Grain => 1;

    /// <summary>Fills a span from a byte of the tensor on; any number of threads at once.</summary>
    public abstract void Read(long start, Span<byte> into);
}

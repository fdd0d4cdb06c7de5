using System.Collections.Immutable;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>Tensors read as one vector, one after another: what a data-parallel optimizer works on.</summary>
/// <param name="dtype">Of all of them.</param>
internal sealed class FlatVector(DType dtype)
{
    private readonly List<(long Start, TensorSource Source, long Count)> _parts = [];

    public DType DType => dtype;

    /// <summary>Elements so far.</summary>
    public long Count { get; private set; }

    /// <summary>Puts the first elements of a tensor behind the others.</summary>
    /// <exception cref="MergeException">It has fewer, or is of another type.</exception>
    public void Append(TensorSource source, long count)
    {
        if (source.DType != dtype || count > source.Length / (dtype.Bits() / 8))
        {
            throw new MergeException(TrainingContent.Wrong(
                source.Files.First().Path,
                $"'{PyTorch.PickleText.Shown(source.Name)}' is {source.Length / (source.DType.Bits() / 8)} elements of {source.DType}",
                $"{count} of {dtype}, as the other ranks have",
                null));
        }
        _parts.Add((Count, source, count));
        Count = checked(Count + count);
    }

    /// <summary>Elements of the vector as runs of a tensor.</summary>
    /// <param name="at">The first, within the vector.</param>
    /// <param name="count">How many, within the vector.</param>
    /// <param name="target">Where they begin in the tensor.</param>
    public IEnumerable<Chunk> Slice(long at, long count, long target)
    {
        foreach (var (start, source, length) in _parts)
        {
            var (from, to) = (Math.Max(at, start), Math.Min(at + count, start + length));
            if (from < to)
                yield return new(source, from - start, [target + from - at], ImmutableArray.Create(to - from));
        }
    }
}

using Merge.Sdk;

namespace Merge.Compute;

/// <summary>A statistic that one sweep gives: what it needs to see, and what it makes of it.</summary>
internal abstract class Reduction
{
    /// <summary>The values it reduces.</summary>
    public abstract IReadOnlyList<Node> Operands { get; }

    /// <summary>Segments must begin at multiples of this.</summary>
    public virtual long SegmentUnit => 1;

    /// <summary>Blocks must begin at multiples of this.</summary>
    public virtual long Unit => 1;

    /// <summary>Bytes it holds, once, at most: in this sweep or in another that may follow.</summary>
    public virtual long Bytes => 0;

    /// <summary>Bytes it holds, once, from this sweep on.</summary>
    public virtual long HeldBytes => Bytes;

    /// <summary>Bytes it holds for every segment that is begun and not finished.</summary>
    public abstract long BytesPerSegment { get; }

    /// <summary>Whether a device can reduce its operands where there are many.</summary>
    public virtual bool IsForDevices => false;

    /// <summary>Which of a segment's elements it must see; none where start and end are the same.</summary>
    public virtual (long Start, long End) Needs(long start, long end) => (start, end);

    /// <summary>What one thread gathers of elements [start, end).</summary>
    public abstract IReductionPart Begin(long start, long end);

    /// <summary>All parts, in order.</summary>
    public abstract void Finish(IReadOnlyList<IReductionPart> parts);
}

/// <summary>What one thread gathers of a segment.</summary>
internal unsafe interface IReductionPart
{
    /// <param name="start">Index of the first element; follows the last call's elements.</param>
    /// <param name="count">How many: at most one tile.</param>
    /// <param name="operands">Each operand's values.</param>
    void Take(long start, int count, ReadOnlySpan<nint> operands);
}

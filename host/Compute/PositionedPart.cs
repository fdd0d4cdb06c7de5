namespace Merge.Compute;

/// <summary>Hands on a member's elements with their positions among those of all members.</summary>
internal sealed class PositionedPart(IReductionPart part, long memberStart) : IReductionPart
{
    public void Take(long start, int count, ReadOnlySpan<nint> operands) =>
        part.Take(memberStart + start, count, operands);
}

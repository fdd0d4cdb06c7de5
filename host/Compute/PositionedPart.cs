using Merge.Compute.Gpu;

namespace Merge.Compute;

/// <summary>Hands on a member's elements with their positions among those of all members.</summary>
internal class PositionedPart(IReductionPart part, long memberStart) : IReductionPart
{
    public void Take(long start, int count, ReadOnlySpan<nint> operands) =>
        part.Take(memberStart + start, count, operands);
}

/// <summary>The same of a part that takes a device's values.</summary>
internal sealed class PositionedDevicePart(IDeviceReductionPart part, long memberStart)
    : PositionedPart(part, memberStart), IDeviceReductionPart
{
    private readonly long _memberStart = memberStart;
    private readonly IDeviceReductionPart _part = part;

    public void Take(long start, DeviceOperands operands) => _part.Take(_memberStart + start, operands);
}

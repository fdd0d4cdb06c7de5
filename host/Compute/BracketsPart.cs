using System.Runtime.CompilerServices;
using Merge.Compute.Gpu;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>One segment's counts of several brackets.</summary>
/// <param name="brackets">The brackets' counts.</param>
/// <param name="end">Where the segment ends.</param>
internal sealed unsafe class BracketsPart(ScoreBracket.Part[] brackets, long end) : IDeviceReductionPart
{
    [SkipLocalsInit]
    public void Take(long first, int count, ReadOnlySpan<nint> operands)
    {
        var keys = stackalloc uint[count];
        ScoreKey.Of((float*)operands[0], count, keys);
        foreach (var bracket in brackets)
        {
            bracket.Take(first, count, keys);
            if (first + count == end)
                bracket.End();
        }
    }

    public void Take(long start, DeviceOperands operands)
    {
        foreach (var bracket in brackets)
        {
            bracket.Take(start, operands);
            if (start + operands.Count == end)
                bracket.End();
        }
    }
}

using System.Runtime.CompilerServices;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>One segment's counts of several brackets.</summary>
/// <param name="brackets">The brackets' counts.</param>
/// <param name="end">Where the segment ends.</param>
internal sealed unsafe class BracketsPart(ScoreBracket.Part[] brackets, long end) : IReductionPart
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
}

using System.Runtime.CompilerServices;

namespace Merge.Compute;

/// <summary>Looks through the page or segment where a cut falls among equal scores for the position it falls at.</summary>
internal sealed unsafe class ScoreLocation(SelectionTarget[] targets) : IReductionPart
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Take(long start, int count, ReadOnlySpan<nint> operands)
    {
        var keys = stackalloc uint[count];
        ScoreKey.Of((float*)operands[0], count, keys);
        foreach (var target in targets)
        {
            var end = Math.Min(count, target.Place.End - start);
            for (var i = Math.Max(0, target.Place.Start - start); i < end && target.Searched; i++)
            {
                if (keys[i] == target.Key && --target.TiesLeft == 0)
                    target.EndAt(start + i);
            }
        }
    }
}

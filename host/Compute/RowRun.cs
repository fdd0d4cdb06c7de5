namespace Merge.Compute;

/// <summary>Elements of a block that can be worked on together: whole rows, or a part of one.</summary>
/// <param name="Column">Where in its row it begins.</param>
/// <param name="Rows">How many rows.</param>
/// <param name="Length">Elements of each.</param>
internal readonly record struct RowRun(long Column, int Rows, int Length)
{
    /// <param name="at">Index of the first element.</param>
    /// <param name="rowLength">Elements of a row.</param>
    /// <param name="group">It ends at a multiple of this, if not before: a multiple of the row's length.</param>
    /// <param name="left">Elements the block still has, at least 1.</param>
    public static RowRun At(long at, long rowLength, long group, int left)
    {
        var column = at % rowLength;
        var ofGroup = Math.Min(left, group - (at % group));
        return column > 0 || ofGroup < rowLength
            ? new(column, 1, (int)Math.Min(rowLength - column, ofGroup))
            : new(0, (int)(ofGroup / rowLength), (int)rowLength);
    }
}

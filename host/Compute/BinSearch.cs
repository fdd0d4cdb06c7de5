namespace Merge.Compute;

/// <summary>A sweep that looks into the bins where ranks lie, one selection's over all its members.</summary>
internal abstract class BinSearch
{
    public abstract IReductionPart Begin(long start, long end);

    /// <summary>
    /// To be called after the sweep: finds the targets' keys and, where a cut falls among equal scores, its position or
    /// where that has to be searched.
    /// </summary>
    public abstract void Find(SelectionTarget[] targets);
}

namespace Merge.Compute;

/// <summary>
/// The tensors that a selection takes together. Positions count their elements in order, from the first of the first.
/// </summary>
internal sealed class SelectionMembers
{
    private readonly long[] _starts;

    /// <param name="counts">Elements of each.</param>
    public SelectionMembers(IReadOnlyList<long> counts)
    {
        Counts = counts;
        _starts = new long[counts.Count];
        foreach (var (member, count) in counts.Index())
        {
            _starts[member] = Elements;
            Elements += count;
        }
    }

    public IReadOnlyList<long> Counts { get; }

    /// <summary>Elements of all.</summary>
    public long Elements { get; }

    /// <summary>The position of a member's first element.</summary>
    public long Start(int member) => _starts[member];

    /// <summary>The position after a member's last element.</summary>
    public long End(int member) => _starts[member] + Counts[member];
}

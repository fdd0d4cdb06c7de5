namespace Merge.Compute;

/// <summary>One rank of a score that is looked for.</summary>
/// <param name="rank">Ascending, from 0.</param>
/// <param name="keep">
/// How many of the elements from that rank on are kept where it matters which (a cut), else -1.
/// </param>
internal sealed class SelectionTarget(long rank, long keep)
{
    public long Rank { get; } = rank;

    /// <summary>Where it is looked for, if it is in a bracket.</summary>
    public ScoreBracket? Bracket { get; set; }

    /// <summary>The upper half of its key, where that was found alone.</summary>
    public int Bin { get; set; }

    public long RankInBin { get; set; }

    /// <summary>Elements in higher bins.</summary>
    public long KeptAbove { get; set; }

    public uint Key { get; set; }

    /// <summary>How many equal scores are still to be kept.</summary>
    public long TiesLeft { get; set; }

    /// <summary>Positions, from the first to before the second, that the last kept tie is searched at.</summary>
    public (long Start, long End) Place { get; private set; }

    /// <summary>Whether several threads may see the place.</summary>
    public bool IsWide { get; private set; }

    public bool Searched { get; private set; }

    /// <summary>Equal scores at positions below it are kept.</summary>
    public long Limit { get; private set; } = long.MaxValue;

    /// <summary>False where all ties are kept, or it does not matter which.</summary>
    public bool TakeTies(long aboveInBin, long ties)
    {
        TiesLeft = keep - KeptAbove - aboveInBin;
        return keep >= 0 && TiesLeft < ties;
    }

    public void EndAt(long position) => (Limit, Searched, IsWide) = (position + 1, false, false);

    public void SearchIn(long start, long end, bool isWide) => (Place, IsWide, Searched) = ((start, end), isWide, true);

    public void Reset() => (Searched, IsWide) = (false, false);
}

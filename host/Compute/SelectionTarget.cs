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

    /// <summary>Member and, while searched, where the elements begin that the last kept tie is among.</summary>
    public (int Member, long Start) Place { get; private set; } = (int.MaxValue, 0);

    /// <summary>Where they end; beyond the segment's end, they end there.</summary>
    public long PlaceEnd { get; private set; }

    public bool Searched { get; private set; }

    public long IndexLimit { get; private set; } = long.MaxValue;

    /// <summary>False where all ties are kept, or it does not matter which.</summary>
    public bool TakeTies(long aboveInBin, long ties)
    {
        TiesLeft = keep - KeptAbove - aboveInBin;
        return keep >= 0 && TiesLeft < ties;
    }

    public void EndAt(int member, long index) => (Place, IndexLimit, Searched) = ((member, 0), index + 1, false);

    public void SearchIn((int Member, long Start) place, long end) =>
        (Place, PlaceEnd, Searched) = (place, end, true);

    public void Reset() => (Place, Searched) = ((int.MaxValue, 0), false);
}

using System.Runtime.CompilerServices;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>
/// Elements at some ranks of a score's order, exactly, over one tensor or several taken in order. Of one tensor a
/// sample tells near which key each rank lies, and one sweep counts the keys there (<see cref="ScoreBracket"/>). Where
/// there is no sample, or it misled, a first sweep counts the upper halves of all keys (<see cref="ScoreBins"/>); a
/// second looks into the bins where the ranks lie: few elements are gathered (<see cref="GatheredScores"/>), many are
/// counted by the lower half (<see cref="LowerCounts"/>). Where a cut falls among equal scores whose indices were not
/// gathered, a last sweep of one page or segment finds the index it falls at (<see cref="ScoreLocation"/>).
/// </summary>
internal sealed class ScoreSelection
{
    /// <summary>Up to this many elements of the ranks' bins are gathered.</summary>
    public const int MostGathered = 1 << 20;

    /// <summary>With more ranks there is no sample.</summary>
    public const int MostSampledRanks = 4;

    /// <summary>Tensors up to this size need no sample: all their keys are counted, once for all ranks.</summary>
    public const int MostUnsampled = 1 << 16;

    private const int MostBracketed = 2 * MostGathered;

    private readonly SelectionTarget[] _targets;
    private readonly long _elements;
    private ScoreSample? _sample;
    private ScoreBracket[] _brackets = [];
    private ScoreBins? _bins;
    private BinSearch? _search;
    private int _searchedBins;
    private Phase _phase;

    /// <param name="ranks">
    /// Ascending, from 0; all below the number of elements. With each, how many of the elements from that rank on are
    /// kept where it matters which (a cut), else -1.
    /// </param>
    /// <param name="elements">Elements of its only tensor, if a sample of it may be taken; 0 if there is none.</param>
    public ScoreSelection(IReadOnlyList<(long Rank, long Keep)> ranks, long elements = 0)
    {
        _targets = [.. ranks.Select(r => new SelectionTarget(r.Rank, r.Keep))];
        _elements = elements;
        if (_targets.Length == 0)
            _phase = Phase.Done;
        else if (elements is > 0 and <= MostUnsampled)
            BeginBracket();
        else if (elements == 0 || _targets.Length > MostSampledRanks)
            SkipSample();
        else
            (_phase, _sample) = (Phase.Sample, new());
    }

    private enum Phase
    {
        Sample,
        Bracket,
        Count,
        Search,
        Locate,
        Done,
    }

    /// <summary>Bytes held once, at most, whatever turns out.</summary>
    public long Bytes => (ScoreBins.Count * sizeof(long) * (1L + _searchedBins)) + (MostGathered * 16L);

    /// <summary>Bytes held while it is swept now.</summary>
    public long HeldBytes => _phase switch
    {
        Phase.Sample => 2 * sizeof(uint) * ScoreSample.RunsOf(_elements) * ScoreSample.RunLength,
        Phase.Bracket => KeysHeld * sizeof(ulong),
        Phase.Locate or Phase.Done => 0,
        _ => Bytes,
    };

    /// <summary>Whether a sample of its tensor must be taken first.</summary>
    public bool WantsSample => _phase == Phase.Sample;

    /// <summary>Bytes held for every segment that is begun and not ended.</summary>
    public long BytesPerSegment => Math.Max(
        ScoreBins.Count * sizeof(uint) * (long)Math.Max(_searchedBins, 2), KeyCounts.Bytes * _brackets.Length);

    // By the brackets of a tensor: an eighth of its elements is more than a sample leaves in doubt.
    private long KeysHeld => Math.Clamp(_elements / 8, MostUnsampled, MostBracketed);

    /// <summary>Whether a member must be swept now.</summary>
    public bool Wants(int member) => _phase switch
    {
        Phase.Done => false,
        Phase.Locate => _targets.Any(t => t.Searched && t.Place.Member == member),
        _ => true,
    };

    /// <summary>Which of the elements [start, end) must be seen.</summary>
    public (long Start, long End) Needs(int member, long start, long end)
    {
        if (_phase != Phase.Locate)
            return (start, end);
        var searched = SearchedIn(member, start, end);
        return searched.Length == 0
            ? (start, start)
            : (searched.Min(t => t.Place.Start), searched.Max(t => Math.Min(t.PlaceEnd, end)));
    }

    /// <summary>Does without a sample.</summary>
    public void SkipSample() => (_phase, _sample, _bins) = (Phase.Count, null, new());

    public IReductionPart Begin(int member, long start, long end) => _phase switch
    {
        Phase.Sample => _sample!.Begin(start, end),
        Phase.Bracket => new BracketsPart([.. _brackets.Select(b => b.Begin(start))], end),
        Phase.Count => _bins!.Begin(start, end),
        Phase.Search => _search!.Begin(member, start, end),
        _ => new ScoreLocation(SearchedIn(member, start, end)),
    };

    /// <summary>To be called when all members that were wanted have been swept.</summary>
    public void Advance()
    {
        switch (_phase)
        {
            case Phase.Sample:
                BeginBrackets(t => _sample!.Bracket(t.Rank, _elements));
                _sample = null;
                break;
            case Phase.Bracket:
                FindInBrackets();
                break;
            case Phase.Count:
                BeginSearch();
                break;
            case Phase.Search:
                _search!.Find(_targets);
                _search = null;
                LocateOrEnd();
                break;
            default:
                _phase = Phase.Done;
                break;
        }
    }

    /// <summary>The score at a rank.</summary>
    public float Score(int target) => ScoreKey.ToScore(_targets[target].Key);

    /// <summary>The cut at a rank, for a member.</summary>
    public Cut CutOf(int target, int member)
    {
        var t = _targets[target];
        var limit = member < t.Place.Member ? long.MaxValue : member > t.Place.Member ? 0 : t.IndexLimit;
        return new(Score(target), limit);
    }

    private SelectionTarget[] SearchedIn(int member, long start, long end) =>
        [.. _targets.Where(
            t => t.Searched && t.Place.Member == member && t.Place.Start >= start && t.Place.Start < end)];

    private void LocateOrEnd() => _phase = _targets.Any(t => t.Searched) ? Phase.Locate : Phase.Done;

    private void BeginBracket()
    {
        var all = new ScoreBracket(0, 0, uint.MaxValue, (int)KeysHeld);
        foreach (var target in _targets)
            target.Bracket = all;
        (_brackets, _phase) = ([all], Phase.Bracket);
    }

    private void BeginBrackets(Func<SelectionTarget, (uint Low, uint Middle, uint High)> bracketOf)
    {
        foreach (var target in _targets)
        {
            var (low, middle, high) = bracketOf(target);
            target.Bracket = new ScoreBracket(low, middle, high, (int)KeysHeld / _targets.Length);
        }
        (_brackets, _phase) = ([.. _targets.Select(t => t.Bracket!)], Phase.Bracket);
    }

    private void FindInBrackets()
    {
        var found = _targets.All(t => t.Bracket!.Find(t, _elements));
        _brackets = [];
        foreach (var target in _targets)
            target.Bracket = null;
        if (found)
        {
            LocateOrEnd();
            return;
        }
        foreach (var target in _targets)
            target.Reset();
        SkipSample();
    }

    private void BeginSearch()
    {
        var inside = _bins!.Find(_targets);
        _bins = null;
        int[] bins = [.. _targets.Select(t => t.Bin).Distinct().Order()];
        _searchedBins = bins.Length;
        _search = inside <= MostGathered ? new GatheredScores(bins) : new LowerCounts(bins);
        _phase = Phase.Search;
    }

    private sealed unsafe class BracketsPart(ScoreBracket.Part[] brackets, long end) : IReductionPart
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
                    bracket.End(end);
            }
        }
    }
}

using System.Runtime.CompilerServices;
using Merge.Compute.Gpu;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>
/// Elements at some ranks of a score's order, exactly, over one tensor or several taken in order. A sample tells near
/// which key each rank lies, and one sweep counts the keys there (<see cref="ScoreBracket"/>). Where there is no sample,
/// or it misled, a first sweep counts the upper halves of all keys (<see cref="ScoreBins"/>); a second looks into the
/// bins where the ranks lie: few elements are gathered (<see cref="GatheredScores"/>), many are counted by the lower half
/// (<see cref="LowerCounts"/>). Where a cut falls among equal scores whose positions were not gathered, a last sweep of
/// one page or segment finds the position it falls at (<see cref="ScoreLocation"/>); pages that had to be joined are
/// counted anew before, for that key alone.
/// </summary>
internal sealed class ScoreSelection
{
    /// <summary>Up to this many elements of the ranks' bins are gathered.</summary>
    public const int MostGathered = 1 << 20;

    /// <summary>With more ranks there is no sample.</summary>
    public const int MostSampledRanks = 4;

    /// <summary>Up to so many elements need no sample: all their keys are counted, once for all ranks.</summary>
    public const int MostUnsampled = 1 << 16;

    /// <summary>Up to so many keys are held with their counts.</summary>
    public const int MostBracketed = 2 * MostGathered;

    private readonly SelectionTarget[] _targets;
    private readonly SelectionMembers _members;
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
    /// <param name="counts">Elements of each member.</param>
    public ScoreSelection(IReadOnlyList<(long Rank, long Keep)> ranks, params IReadOnlyList<long> counts)
    {
        _targets = [.. ranks.Select(r => new SelectionTarget(r.Rank, r.Keep))];
        _members = new(counts);
        if (_targets.Length == 0)
            _phase = Phase.Done;
        else if (_members.Elements <= MostUnsampled)
            BeginBracket();
        else if (_targets.Length > MostSampledRanks)
            SkipSample();
        else
            (_phase, _sample) = (Phase.Sample, new(_members));
    }

    private enum Phase
    {
        Sample,
        Bracket,
        Count,
        Search,
        Narrow,
        Locate,
        Done,
    }

    /// <summary>Bytes held once, at most, whatever turns out.</summary>
    public long Bytes => Math.Max(
        (ScoreBins.Count * sizeof(long) * (1L + _searchedBins)) + (MostGathered * 16L), _sample?.Bytes ?? 0);

    /// <summary>Bytes held while it is swept now.</summary>
    public long HeldBytes => _phase switch
    {
        Phase.Sample => _sample!.Bytes,
        Phase.Bracket or Phase.Narrow => KeysHeld * sizeof(ulong),
        Phase.Locate or Phase.Done => 0,
        _ => Bytes,
    };

    /// <summary>Whether a sample must be taken first.</summary>
    public bool WantsSample => _phase == Phase.Sample;

    /// <summary>Bytes held for every segment that is begun and not ended.</summary>
    public long BytesPerSegment => Math.Max(
        ScoreBins.Count * sizeof(uint) * (long)Math.Max(_searchedBins, 2), KeyCounts.Bytes * _brackets.Length);

    // By the brackets: an eighth of the elements is more than a sample leaves in doubt.
    private long KeysHeld => Math.Clamp(_members.Elements / 8, 2 * MostUnsampled, MostBracketed);

    /// <summary>Runs that a sample takes of a member.</summary>
    public long SampleRunsOf(int member) => _sample!.RunsOf(member);

    /// <summary>Whether a member must be swept now.</summary>
    public bool Wants(int member) => Searched(_members.Start(member), _members.End(member)).Any;

    /// <summary>Which of the elements [start, end) must be seen.</summary>
    public (long Start, long End) Needs(int member, long start, long end)
    {
        var at = _members.Start(member);
        var (any, first, last) = Searched(at + start, at + end);
        return any ? (first - at, last - at) : (start, start);
    }

    /// <summary>Does without a sample.</summary>
    public void SkipSample() => (_phase, _sample, _bins) = (Phase.Count, null, new());

    public IReductionPart Begin(int member, long start, long end)
    {
        var at = _members.Start(member);
        var (from, to) = (at + start, at + end);
        IReductionPart part = _phase switch
        {
            Phase.Sample => _sample!.Begin(member, from, to),
            Phase.Bracket or Phase.Narrow => new BracketsPart([.. _brackets.Select(b => b.Begin(from, to))], to),
            Phase.Count => _bins!.Begin(from, to),
            Phase.Search => _search!.Begin(from, to),
            _ => new ScoreLocation([.. _targets.Where(t => t.Searched && t.Place.Start >= from && t.Place.Start < to)]),
        };
        return part is IDeviceReductionPart onDevice ? new PositionedDevicePart(onDevice, at) : new PositionedPart(part, at);
    }

    /// <summary>To be called when all members that were wanted have been swept.</summary>
    public void Advance()
    {
        switch (_phase)
        {
            case Phase.Sample:
                BeginBrackets(t => _sample!.Bracket(t.Rank));
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
            case Phase.Narrow:
                foreach (var target in _targets.Where(t => t.IsWide))
                    target.Bracket!.Search(target);
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
        var limit = _targets[target].Limit;
        var ofMember = limit > _members.End(member) ? long.MaxValue : Math.Max(0, limit - _members.Start(member));
        return new(Score(target), ofMember);
    }

    // The part of [start, end) from the first to the last element that must be seen, if any must.
    private (bool Any, long First, long Last) Searched(long start, long end)
    {
        if (_phase == Phase.Done)
            return default;
        if (_phase is not (Phase.Narrow or Phase.Locate))
            return (true, start, end);
        SelectionTarget[] here = [.. _targets.Where(
            t => (_phase == Phase.Locate ? t.Searched : t.IsWide) && t.Place.Start < end && t.Place.End > start)];
        return here.Length == 0
            ? default
            : (true, Math.Max(start, here.Min(t => t.Place.Start)), Math.Min(end, here.Max(t => t.Place.End)));
    }

    private void LocateOrEnd()
    {
        EndBrackets();
        SelectionTarget[] wide = [.. _targets.Where(t => t.IsWide)];
        foreach (var t in wide)
            t.Bracket = new(t.Key, t.Key, t.Key, (int)KeysHeld / _targets.Length, t.Place);
        _brackets = [.. wide.Select(t => t.Bracket!)];
        _phase = wide.Length > 0 ? Phase.Narrow : _targets.Any(t => t.Searched) ? Phase.Locate : Phase.Done;
    }

    private void BeginBracket()
    {
        var all = new ScoreBracket(0, 0, uint.MaxValue, (int)KeysHeld, (0, _members.Elements));
        foreach (var target in _targets)
            target.Bracket = all;
        (_brackets, _phase) = ([all], Phase.Bracket);
    }

    private void BeginBrackets(Func<SelectionTarget, (uint Low, uint Middle, uint High)> bracketOf)
    {
        foreach (var target in _targets)
        {
            var (low, middle, high) = bracketOf(target);
            target.Bracket = new(low, middle, high, (int)KeysHeld / _targets.Length, (0, _members.Elements));
        }
        (_brackets, _phase) = ([.. _targets.Select(t => t.Bracket!)], Phase.Bracket);
    }

    private void FindInBrackets()
    {
        if (_targets.All(t => t.Bracket!.Find(t)))
        {
            LocateOrEnd();
            return;
        }
        EndBrackets();
        foreach (var target in _targets)
            target.Reset();
        SkipSample();
    }

    private void EndBrackets()
    {
        foreach (var target in _targets)
            target.Bracket = null;
        foreach (var bracket in _brackets)
            bracket.Release();
        _brackets = [];
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
}

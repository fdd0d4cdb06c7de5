using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>
/// Elements at some ranks of a score's order, exactly, over one tensor or several taken in order. Of one tensor a
/// sample tells near which key each rank lies, and one sweep counts the keys there (<see cref="ScoreBracket"/>). Where
/// there is no sample, or it misled, a first sweep counts the upper halves of all keys; a second looks into the bins
/// where the ranks lie: few elements are gathered, many are counted by the lower half. Where a cut falls among equal
/// scores whose indices were not gathered, a last sweep of one page or segment finds the index it falls at.
/// </summary>
internal sealed class ScoreSelection
{
    /// <summary>Up to this many elements of the ranks' bins are gathered.</summary>
    public const int MostGathered = 1 << 20;

    /// <summary>With more ranks there is no sample.</summary>
    public const int MostSampledRanks = 4;

    /// <summary>Tensors up to this size need no sample: all their keys are counted, once for all ranks.</summary>
    public const int MostUnsampled = 1 << 16;

    private const int Bins = 1 << 16;

    private readonly Lock _lock = new();
    private readonly ConcurrentBag<Tables> _pool = [];
    private readonly Target[] _targets;
    private readonly Dictionary<int, int> _slots = [];
    private readonly SortedDictionary<(int Member, long Start), (uint Key, uint Count)[]> _segments = [];
    private readonly SortedDictionary<(int Member, long Start), List<(uint Key, long Index)>> _gathered = [];
    private readonly long _elements;
    private ScoreSample? _sample;
    private ScoreBracket[] _brackets = [];
    private long[] _counts = [];
    private Phase _phase;

    /// <param name="ranks">
    /// Ascending, from 0; all below the number of elements. With each, how many of the elements from that rank on are
    /// kept where it matters which (a cut), else -1.
    /// </param>
    /// <param name="elements">Elements of its only tensor, if a sample of it may be taken; 0 if there is none.</param>
    public ScoreSelection(IReadOnlyList<(long Rank, long Keep)> ranks, long elements = 0)
    {
        _targets = [.. ranks.Select(r => new Target(r.Rank, r.Keep))];
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
        Gather,
        CountLower,
        Locate,
        Done,
    }

    /// <summary>Bytes held once, at most.</summary>
    public long Bytes => (Bins * sizeof(long) * (1L + _slots.Count)) + (MostGathered * 16L);

    /// <summary>Whether a sample of its tensor must be taken first.</summary>
    public bool WantsSample => _phase == Phase.Sample;

    /// <summary>Bytes held for every segment that is begun and not ended.</summary>
    public long BytesPerSegment => Math.Max(
        Bins * sizeof(uint) * (long)Math.Max(_slots.Count, 2), KeyCounts.Bytes * _brackets.Length);

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
    public void SkipSample() => (_phase, _sample, _counts) = (Phase.Count, null, new long[Bins]);

    public IReductionPart Begin(int member, long start, long end) => _phase switch
    {
        Phase.Sample => _sample!.Begin(start, end),
        Phase.Bracket => new BracketsPart([.. _brackets.Select(b => b.Begin(start, end))]),
        Phase.Count => new CountPart(this, Rent(2), start, end),
        Phase.Gather => new GatherPart(this, member, start, end),
        Phase.CountLower => new LowerPart(this, Rent(_slots.Count), member, start, end),
        _ => new LocatePart(SearchedIn(member, start, end)),
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
                FindBins();
                break;
            case Phase.Gather:
                FindAmongGathered();
                _phase = Phase.Done;
                break;
            case Phase.CountLower:
                FindAmongCounted();
                _phase = _targets.Any(t => t.Searched) ? Phase.Locate : Phase.Done;
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

    private Target[] SearchedIn(int member, long start, long end) =>
        [.. _targets.Where(
            t => t.Searched && t.Place.Member == member && t.Place.Start >= start && t.Place.Start < end)];

    private void BeginBracket()
    {
        var all = new ScoreBracket(0, uint.MaxValue, 2 * MostGathered);
        foreach (var target in _targets)
            target.Bracket = all;
        (_brackets, _phase) = ([all], Phase.Bracket);
    }

    private void BeginBrackets(Func<Target, (uint Low, uint High)> bracketOf)
    {
        foreach (var target in _targets)
        {
            var (low, high) = bracketOf(target);
            target.Bracket = new ScoreBracket(low, high, 2 * MostGathered / _targets.Length);
        }
        (_brackets, _phase) = ([.. _targets.Select(t => t.Bracket!)], Phase.Bracket);
    }

    private void FindInBrackets()
    {
        foreach (var target in _targets)
        {
            var bracket = target.Bracket!;
            target.Bracket = null;
            if (bracket.Find(_elements - 1 - target.Rank, out var above, out var ties) is not { } key)
            {
                foreach (var t in _targets)
                    t.Reset();
                SkipSample();
                break;
            }
            target.Key = key;
            if (target.TakeTies(above, ties))
            {
                var (start, end, left) = bracket.PageOf(key, target.TiesLeft);
                target.TiesLeft = left;
                target.SearchIn((0, start), end);
            }
        }
        _brackets = [];
        if (_phase == Phase.Bracket)
            _phase = _targets.Any(t => t.Searched) ? Phase.Locate : Phase.Done;
    }

    private void FindBins()
    {
        foreach (var tables in _pool)
            AddUp(tables);
        _pool.Clear();
        foreach (var target in _targets)
        {
            var (bin, below) = Find(_counts, target.Rank);
            (target.Bin, target.RankInBin) = (bin, target.Rank - below);
            target.KeptAbove = Sum(_counts.AsSpan(bin + 1));
            _slots.TryAdd(bin, _slots.Count);
        }
        var inside = _slots.Keys.Sum(bin => _counts[bin]);
        _phase = inside <= MostGathered ? Phase.Gather : Phase.CountLower;
        _counts = _phase == Phase.CountLower ? new long[_slots.Count * Bins] : [];
    }

    private void FindAmongGathered()
    {
        foreach (var group in _targets.GroupBy(t => t.Bin))
        {
            uint[] keys =
                [.. _gathered.Values.SelectMany(g => g).Where(g => g.Key >> 16 == group.Key).Select(g => g.Key)];
            Array.Sort(keys);
            foreach (var target in group)
            {
                target.Key = keys[target.RankInBin];
                var above = keys.LongLength - Array.FindLastIndex(keys, k => k == target.Key) - 1;
                var ties = keys.LongCount(k => k == target.Key);
                if (!target.TakeTies(above, ties))
                    continue;
                foreach (var ((member, _), elements) in _gathered)
                {
                    foreach (var (key, index) in elements)
                    {
                        if (key == target.Key && --target.TiesLeft == 0)
                            target.EndAt(member, index);
                    }
                }
            }
        }
        _gathered.Clear();
    }

    private void FindAmongCounted()
    {
        foreach (var target in _targets)
        {
            var counts = _counts.AsSpan(_slots[target.Bin] * Bins, Bins);
            var (low, _) = Find(counts, target.RankInBin);
            target.Key = ((uint)target.Bin << 16) | (uint)low;
            if (!target.TakeTies(Sum(counts[(low + 1)..]), counts[low]))
                continue;
            foreach (var (place, keys) in _segments)
            {
                var at = Array.BinarySearch([.. keys.Select(k => k.Key)], target.Key);
                var ties = at < 0 ? 0 : keys[at].Count;
                if (ties >= target.TiesLeft)
                {
                    target.SearchIn(place, long.MaxValue);
                    break;
                }
                target.TiesLeft -= ties;
            }
        }
        _segments.Clear();
        _pool.Clear();
    }

    private static (int Bin, long Below) Find(ReadOnlySpan<long> counts, long rank)
    {
        var below = 0L;
        var bin = 0;
        while (below + counts[bin] <= rank)
            below += counts[bin++];
        return (bin, below);
    }

    private static long Sum(ReadOnlySpan<long> counts)
    {
        var sum = 0L;
        foreach (var count in counts)
            sum += count;
        return sum;
    }

    private Tables Rent(int tables) => _pool.TryTake(out var counts) ? counts : new(tables);

    // Tables go on counting from segment to segment; they are added up at the end, or before they could overflow.
    private void Return(Tables tables, long elements)
    {
        tables.Elements += elements;
        if (tables.Elements > int.MaxValue)
            AddUp(tables);
        _pool.Add(tables);
    }

    private void Add((int Member, long Start) segment, (uint Key, uint Count)[] keys)
    {
        lock (_lock)
        {
            _segments.Add(segment, keys);
            foreach (var (key, count) in keys)
                _counts[(_slots[(int)(key >> 16)] * Bins) + (int)(key & 0xffff)] += count;
        }
    }

    private void AddUp(Tables tables)
    {
        lock (_lock)
        {
            for (var i = 0; i < Bins; i++)
                _counts[i] += (long)tables.Counts[i] + tables.Counts[Bins + i];
        }
        Array.Clear(tables.Counts);
        tables.Elements = 0;
    }

    /// <summary>Tables of one thread.</summary>
    private sealed class Tables(int count)
    {
        public uint[] Counts { get; } = new uint[count * Bins];

        public long Elements { get; set; }
    }

    /// <summary>One rank that is looked for.</summary>
    private sealed class Target(long rank, long keep)
    {
        public long Rank { get; } = rank;

        /// <summary>Where it is looked for, if it is in a bracket.</summary>
        public ScoreBracket? Bracket { get; set; }

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

    private sealed class BracketsPart(IReductionPart[] brackets) : IReductionPart
    {
        public void Take(long first, int count, ReadOnlySpan<nint> operands)
        {
            foreach (var bracket in brackets)
                bracket.Take(first, count, operands);
        }
    }

    private sealed unsafe class CountPart(ScoreSelection owner, Tables tables, long start, long end) : IReductionPart
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long first, int count, ReadOnlySpan<nint> operands)
        {
            var keys = stackalloc uint[count];
            ScoreKey.Of((float*)operands[0], count, keys);
            fixed (uint* table = tables.Counts)
            {
                // Two tables: runs of equal scores do not wait for one another's increment.
                var i = 0;
                for (; i < count - 1; i += 2)
                {
                    table[keys[i] >> 16]++;
                    table[Bins + (keys[i + 1] >> 16)]++;
                }
                if (i < count)
                    table[keys[i] >> 16]++;
            }
            if (first + count == end)
                owner.Return(tables, end - start);
        }
    }

    private sealed unsafe class GatherPart(ScoreSelection owner, int member, long start, long end) : IReductionPart
    {
        private readonly List<(uint Key, long Index)> _found = [];

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long first, int count, ReadOnlySpan<nint> operands)
        {
            var keys = stackalloc uint[count];
            ScoreKey.Of((float*)operands[0], count, keys);
            var places = stackalloc int[count];
            foreach (var bin in owner._slots.Keys)
            {
                // Without a branch: it would be guessed wrong too often.
                var found = 0;
                for (var i = 0; i < count; i++)
                {
                    places[found] = i;
                    found += keys[i] >> 16 == (uint)bin ? 1 : 0;
                }
                for (var i = 0; i < found; i++)
                    _found.Add((keys[places[i]], first + places[i]));
            }
            if (first + count != end)
                return;
            lock (owner._lock)
                owner._gathered.Add((member, start), _found);
        }
    }

    private sealed unsafe class LowerPart(ScoreSelection owner, Tables tables, int member, long start, long end)
        : IReductionPart
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long first, int count, ReadOnlySpan<nint> operands)
        {
            var keys = stackalloc uint[count];
            ScoreKey.Of((float*)operands[0], count, keys);
            var inside = stackalloc uint[count];
            foreach (var (bin, slot) in owner._slots)
            {
                // Without a branch: it would be guessed wrong too often.
                var found = 0;
                for (var i = 0; i < count; i++)
                {
                    inside[found] = keys[i] & 0xffff;
                    found += keys[i] >> 16 == (uint)bin ? 1 : 0;
                }
                fixed (uint* table = &tables.Counts[slot * Bins])
                {
                    for (var i = 0; i < found; i++)
                        table[inside[i]]++;
                }
            }
            if (first + count == end)
                End();
        }

        private void End()
        {
            var keys = new List<(uint Key, uint Count)>();
            foreach (var (bin, slot) in owner._slots.OrderBy(s => s.Key))
            {
                var counts = tables.Counts.AsSpan(slot * Bins, Bins);
                var low = -1;
                while (counts[(low + 1)..].IndexOfAnyExcept(0u) is >= 0 and var next)
                {
                    low += next + 1;
                    keys.Add((((uint)bin << 16) | (uint)low, counts[low]));
                }
                counts.Clear();
            }
            owner.Add((member, start), [.. keys]);
            owner._pool.Add(tables);
        }
    }

    private sealed unsafe class LocatePart(Target[] targets) : IReductionPart
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long start, int count, ReadOnlySpan<nint> operands)
        {
            var keys = stackalloc uint[count];
            ScoreKey.Of((float*)operands[0], count, keys);
            foreach (var target in targets)
            {
                var end = Math.Min(count, target.PlaceEnd - start);
                for (var i = Math.Max(0, target.Place.Start - start); i < end && target.Searched; i++)
                {
                    if (keys[i] == target.Key && --target.TiesLeft == 0)
                        target.EndAt(target.Place.Member, start + i);
                }
            }
        }
    }
}

using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Merge.Compute.Gpu;

namespace Merge.Compute;

/// <summary>
/// One pass that finds the element of a rank if its key lies in [low, high]: counts what is above, and how often each
/// key inside occurs on every page.
/// </summary>
/// <param name="low">Smallest key inside.</param>
/// <param name="middle">The key inside that most elements may have; 0 if that is not known.</param>
/// <param name="high">Largest key inside.</param>
/// <param name="most">Keys of pages it may hold; with more it gives up.</param>
/// <param name="place">Positions, from the first to before the second, that are looked at.</param>
internal sealed class ScoreBracket(uint low, uint middle, uint high, int most, (long Start, long End) place)
{
    private const int BucketBits = 12;

    private readonly ConcurrentBag<KeyCounts> _pool = [];
    private readonly KeyPages _pages = new(most);
    private long _above;

    private (uint Low, uint Middle, uint High) Limits => (low, middle, high);

    /// <summary>Begins a segment.</summary>
    public Part Begin(long start, long end) =>
        new(this, _pool.TryTake(out var counts) ? counts : new(), Math.Max(start, place.Start), Math.Min(end, place.End));

    /// <summary>
    /// Finds a target's key and, where a cut falls among equal scores, the page to search; false if it cannot.
    /// </summary>
    /// <param name="target">Its rank is that of the scores at the places that are looked at.</param>
    public bool Find(SelectionTarget target)
    {
        if (KeyAt(place.End - place.Start - 1 - target.Rank, out var above, out var ties) is not { } key)
            return false;
        target.Key = key;
        if (target.TakeTies(above, ties))
            Search(target);
        return true;
    }

    /// <summary>Finds the page that the last kept tie is on.</summary>
    public void Search(SelectionTarget target) => _pages.Search(target);

    /// <summary>Gives back what was counted.</summary>
    public void Release() => _pages.Release();

    // The key at a rank counted down from the largest, 0; how many elements have a higher one, and how many have it.
    private uint? KeyAt(long fromTop, out long above, out long ties)
    {
        (above, ties) = (_above, 0);
        var shift = Math.Max(0, 32 - BitOperations.LeadingZeroCount(high - low) - BucketBits);
        var buckets = new long[1 << BucketBits];
        foreach (var key in _pages.Keys)
            buckets[((uint)(key >> 32) - low) >> shift] += (uint)key;
        if (_pages.GaveUp || fromTop < above || fromTop >= above + buckets.Sum())
            return null;
        var bucket = buckets.Length - 1;
        while (above + buckets[bucket] <= fromTop)
            above += buckets[bucket--];
        var inside = new SortedDictionary<uint, long>();
        foreach (var counted in _pages.Keys)
        {
            var key = (uint)(counted >> 32);
            if ((key - low) >> shift == (uint)bucket)
                inside[key] = inside.GetValueOrDefault(key) + (uint)counted;
        }
        foreach (var (key, count) in inside.Reverse())
        {
            if (above + count > fromTop)
            {
                ties = count;
                return key;
            }
            above += count;
        }
        return null;
    }

    private void End(long above, KeyCounts counts)
    {
        _pool.Add(counts);
        Interlocked.Add(ref _above, above);
    }

    /// <summary>Counts of one segment; for one thread at a time.</summary>
    public sealed unsafe class Part(ScoreBracket owner, KeyCounts counts, long start, long end)
    {
        private readonly long _start = start;
        private long _page = start;
        private uint _middles;
        private long _above;

        /// <summary>Takes the keys of the segment's next elements, at most one tile.</summary>
        [SkipLocalsInit]
        public void Take(long first, int count, uint* keys)
        {
            var (from, to) = (Math.Max(first, _start), Math.Min(first + count, end));
            if (from >= to || owner._pages.GaveUp)
                return;
            var inside = stackalloc uint[count + Vector512<uint>.Count];
            var found = Count(keys + (from - first), (int)(to - from), inside, out var middles);
            Add(from, to, inside, found, middles);
        }

        /// <summary>Takes a device's values of the segment's next elements.</summary>
        public void Take(long first, DeviceOperands operands)
        {
            var (from, to) = (Math.Max(first, _start), Math.Min(first + operands.Count, end));
            if (from >= to || owner._pages.GaveUp)
                return;
            var (low, middle, high) = owner.Limits;
            var (tiles, keys) = operands.KeysInside(0, (int)(from - first), (int)(to - from), low, middle, high);
            fixed (uint* inside = keys)
            {
                foreach (var tile in tiles)
                {
                    var next = Math.Min(from + DeviceOperands.KeyTile, to);
                    Add(from, next, inside + tile.First, (int)tile.Found, tile.Middles);
                    _above += tile.Above;
                    from = next;
                }
            }
        }

        private void Add(long from, long to, uint* inside, int found, uint middles)
        {
            if (to - _page > KeyPages.Length || !counts.HasRoomFor(found))
                Turn(from);
            counts.Add(inside, found);
            _middles += middles;
        }

        /// <summary>Hands over what was counted up to the segment's end.</summary>
        public void End()
        {
            Turn(end);
            owner.End(_above, counts);
        }

        private void Turn(long page)
        {
            owner._pages.Add(_page, page, counts, _middles == 0 ? 0 : ((ulong)owner.Limits.Middle << 32) | _middles);
            (_page, _middles) = (page, 0);
        }

        // The keys inside other than the middle one go to a list: that one may be so frequent, as the difference 0 of
        // two 16-bit checkpoints is, that counting it with the others would take most of the time.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private int Count(uint* keys, int count, uint* inside, out uint middles)
        {
            var (low, middle, high) = owner.Limits;
            var (i, found, equals, above) = (0, 0, 0, 0);
            if (Avx512F.IsSupported)
            {
                for (; i <= count - Vector512<uint>.Count; i += Vector512<uint>.Count)
                {
                    var key = Vector512.Load(keys + i);
                    var within = Vector512.LessThanOrEqual(key - Vector512.Create(low), Vector512.Create(high - low));
                    var over = Vector512.GreaterThan(key, Vector512.Create(high));
                    var equal = Vector512.Equals(key, Vector512.Create(middle));
                    equals += BitOperations.PopCount(equal.ExtractMostSignificantBits());
                    above += BitOperations.PopCount(over.ExtractMostSignificantBits());
                    if (low == high)
                        continue;
                    within = Vector512.AndNot(within, equal);
                    Avx512F.Compress(Vector512<uint>.Zero, within, key).Store(inside + found);
                    found += BitOperations.PopCount(within.ExtractMostSignificantBits());
                }
            }
            // Without a branch: it would be guessed wrong too often.
            for (; i < count; i++)
            {
                inside[found] = keys[i];
                found += keys[i] - low <= high - low && keys[i] != middle ? 1 : 0;
                equals += keys[i] == middle ? 1 : 0;
                above += keys[i] > high ? 1 : 0;
            }
            middles = (uint)equals;
            _above += above;
            return found;
        }
    }
}

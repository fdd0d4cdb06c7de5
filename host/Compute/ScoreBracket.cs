using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Merge.Compute;

/// <summary>
/// One pass that finds the element of a rank if its key lies in [low, high]: counts what is above, and how often each
/// key inside occurs on every page of the tensor.
/// </summary>
/// <param name="low">Smallest key inside.</param>
/// <param name="high">Largest key inside.</param>
/// <param name="most">Different keys of pages it may hold; with more it gives up.</param>
internal sealed class ScoreBracket(uint low, uint high, int most)
{
    private const int Page = 1 << 16;
    private const int BucketBits = 12;

    private readonly Lock _lock = new();
    private readonly ConcurrentBag<KeyCounts> _pool = [];
    private readonly SortedDictionary<long, (long End, (uint Key, uint Count)[] Keys)> _pages = [];
    private long _above;
    private long _held;
    private volatile bool _gaveUp;

    private (uint Low, uint High) Limits => (low, high);

    public IReductionPart Begin(long start, long end) =>
        new Part(this, _pool.TryTake(out var counts) ? counts : new(), start, end);

    /// <summary>The key at a rank counted down from the largest, 0; null if it was not found.</summary>
    /// <param name="fromTop">The rank.</param>
    /// <param name="above">Elements of higher keys.</param>
    /// <param name="ties">Elements of this key.</param>
    public uint? Find(long fromTop, out long above, out long ties)
    {
        (above, ties) = (_above, 0);
        var shift = Math.Max(0, 32 - BitOperations.LeadingZeroCount(high - low) - BucketBits);
        var buckets = new long[1 << BucketBits];
        foreach (var (key, count) in _pages.Values.SelectMany(p => p.Keys))
            buckets[(key - low) >> shift] += count;
        if (_gaveUp || fromTop < above || fromTop >= above + buckets.Sum())
            return null;
        var bucket = buckets.Length - 1;
        while (above + buckets[bucket] <= fromTop)
            above += buckets[bucket--];
        var inside = new SortedDictionary<uint, long>();
        foreach (var (key, count) in _pages.Values.SelectMany(p => p.Keys))
        {
            if ((key - low) >> shift == (uint)bucket)
                inside[key] = inside.GetValueOrDefault(key) + count;
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

    /// <summary>The page that the n-th element (from 1) of a key is on, and its number there.</summary>
    public (long Start, long End, long Left) PageOf(uint key, long n)
    {
        foreach (var (start, (end, keys)) in _pages)
        {
            var ties = 0L;
            foreach (var (k, count) in keys)
                ties += k == key ? count : 0;
            if (ties >= n)
                return (start, end, n);
            n -= ties;
        }
        throw new InvalidOperationException("the key occurs less often than it was counted");
    }

    private void Add(long start, long end, (uint, uint)[] keys)
    {
        if (keys.Length == 0)
            return;
        lock (_lock)
        {
            _held += keys.Length;
            _gaveUp |= _held > most;
            if (_gaveUp)
                _pages.Clear();
            else
                _pages.Add(start, (end, keys));
        }
    }

    private void End(long above, KeyCounts counts)
    {
        _pool.Add(counts);
        lock (_lock)
            _above += above;
    }

    private sealed unsafe class Part(ScoreBracket owner, KeyCounts counts, long start, long end) : IReductionPart
    {
        private long _page = start;
        private long _above;

        public void Take(long first, int count, ReadOnlySpan<nint> operands)
        {
            if (!owner._gaveUp)
                Count(first, count, (float*)operands[0]);
            if (first + count < end)
                return;
            Turn(end);
            owner.End(_above, counts);
        }

        [SkipLocalsInit]
        private void Count(long first, int count, float* scores)
        {
            var keys = stackalloc uint[count];
            ScoreKey.Of(scores, count, keys);
            var inside = stackalloc uint[count + Vector512<uint>.Count];
            var found = Inside(keys, count, inside);
            if (first + count - _page > Page || !counts.HasRoomFor(found))
                Turn(first);
            counts.Add(inside, found);
        }

        private void Turn(long page)
        {
            owner.Add(_page, page, counts.Take());
            _page = page;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private int Inside(uint* keys, int count, uint* inside)
        {
            var (low, high) = owner.Limits;
            var (i, found, above) = (0, 0, 0);
            if (Avx512F.IsSupported)
            {
                for (; i <= count - Vector512<uint>.Count; i += Vector512<uint>.Count)
                {
                    var key = Vector512.Load(keys + i);
                    var within = Vector512.LessThanOrEqual(key - Vector512.Create(low), Vector512.Create(high - low));
                    var over = Vector512.GreaterThan(key, Vector512.Create(high));
                    Avx512F.Compress(Vector512<uint>.Zero, within, key).Store(inside + found);
                    found += BitOperations.PopCount(within.ExtractMostSignificantBits());
                    above += BitOperations.PopCount(over.ExtractMostSignificantBits());
                }
            }
            // Without a branch: it would be guessed wrong too often.
            for (; i < count; i++)
            {
                inside[found] = keys[i];
                found += keys[i] - low <= high - low ? 1 : 0;
                above += keys[i] > high ? 1 : 0;
            }
            _above += above;
            return found;
        }
    }
}

using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Merge.Compute.Gpu;

namespace Merge.Compute;

/// <summary>Counts the lower halves of the keys in some bins, which hold too many elements to be gathered.</summary>
/// <param name="bins">Ascending.</param>
internal sealed class LowerCounts(int[] bins) : BinSearch
{
    private readonly Lock _lock = new();
    private readonly ConcurrentBag<uint[]> _pool = [];
    private readonly long[] _counts = new long[bins.Length * ScoreBins.Count];
    private readonly KeyPages _segments = new(ScoreSelection.MostBracketed);
    private long _end;

    public override IReductionPart Begin(long start, long end)
    {
        var table = _pool.TryTake(out var counts) ? counts : new uint[bins.Length * ScoreBins.Count];
        return new Part(this, bins, table, start, end);
    }

    public override void Find(SelectionTarget[] targets)
    {
        foreach (var target in targets)
        {
            var counts = _counts.AsSpan(Array.IndexOf(bins, target.Bin) * ScoreBins.Count, ScoreBins.Count);
            var (low, _) = ScoreBins.Find(counts, target.RankInBin);
            target.Key = ((uint)target.Bin << 16) | (uint)low;
            if (target.TakeTies(ScoreBins.Sum(counts[(low + 1)..]), counts[low]))
                FindSegment(target);
        }
        _segments.Release();
    }

    private void FindSegment(SelectionTarget target)
    {
        if (_segments.GaveUp)
            target.SearchIn(0, _end, true);
        else
            _segments.Search(target);
    }

    private void Add(long end, int slot, ReadOnlySpan<ulong> keys)
    {
        lock (_lock)
        {
            _end = Math.Max(_end, end);
            foreach (var key in keys)
                _counts[(slot * ScoreBins.Count) + (int)((key >> 32) & 0xffff)] += (uint)key;
        }
    }

    private sealed unsafe class Part(LowerCounts owner, int[] bins, uint[] table, long start, long end)
        : IDeviceReductionPart
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long first, int count, ReadOnlySpan<nint> operands)
        {
            var keys = stackalloc uint[count];
            ScoreKey.Of((float*)operands[0], count, keys);
            var inside = stackalloc uint[count];
            for (var slot = 0; slot < bins.Length; slot++)
            {
                // Without a branch: it would be guessed wrong too often.
                var found = 0;
                for (var i = 0; i < count; i++)
                {
                    inside[found] = keys[i] & 0xffff;
                    found += keys[i] >> 16 == (uint)bins[slot] ? 1 : 0;
                }
                fixed (uint* counts = &table[slot * ScoreBins.Count])
                {
                    for (var i = 0; i < found; i++)
                        counts[inside[i]]++;
                }
            }
            if (first + count == end)
                End();
        }

        public void Take(long first, DeviceOperands operands)
        {
            var counts = operands.LowerCounts(0, bins);
            for (var i = 0; i < counts.Length; i++)
                table[i] += counts[i];
            if (first + operands.Count == end)
                End();
        }

        private void End()
        {
            var keys = ArrayPool<ulong>.Shared.Rent(table.Length);
            var count = 0;
            foreach (var (slot, bin) in bins.Index())
            {
                var counts = table.AsSpan(slot * ScoreBins.Count, ScoreBins.Count);
                var (low, first) = (-1, count);
                while (counts[(low + 1)..].IndexOfAnyExcept(0u) is >= 0 and var next)
                {
                    low += next + 1;
                    keys[count++] = ((((ulong)bin << 16) | (uint)low) << 32) | counts[low];
                }
                counts.Clear();
                owner.Add(end, slot, keys.AsSpan(first..count));
            }
            owner._segments.Add(start, end, keys.AsSpan(0, count));
            ArrayPool<ulong>.Shared.Return(keys);
            owner._pool.Add(table);
        }
    }
}

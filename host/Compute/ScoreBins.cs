using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Merge.Compute.Gpu;

namespace Merge.Compute;

/// <summary>A sweep that counts the upper halves of all keys: it tells which of them, which bin, each rank lies in.</summary>
internal sealed class ScoreBins
{
    /// <summary>How many there are; and how many keys a bin has.</summary>
    public const int Count = 1 << 16;

    private readonly Lock _lock = new();
    private readonly ConcurrentBag<Tables> _pool = [];
    private readonly long[] _counts = new long[Count];

    public IReductionPart Begin(long start, long end) =>
        new Part(this, _pool.TryTake(out var tables) ? tables : new(), start, end);

    /// <summary>Finds the targets' bins; gives how many elements those hold together.</summary>
    public long Find(SelectionTarget[] targets)
    {
        foreach (var tables in _pool)
            AddUp(tables);
        _pool.Clear();
        foreach (var target in targets)
        {
            var (bin, below) = Find(_counts, target.Rank);
            (target.Bin, target.RankInBin) = (bin, target.Rank - below);
            target.KeptAbove = Sum(_counts.AsSpan(bin + 1));
        }
        return targets.Select(t => t.Bin).Distinct().Sum(bin => _counts[bin]);
    }

    /// <summary>Where a rank lies among counts, and how many lie below.</summary>
    public static (int Bin, long Below) Find(ReadOnlySpan<long> counts, long rank)
    {
        var below = 0L;
        var bin = 0;
        while (below + counts[bin] <= rank)
            below += counts[bin++];
        return (bin, below);
    }

    public static long Sum(ReadOnlySpan<long> counts)
    {
        var sum = 0L;
        foreach (var count in counts)
            sum += count;
        return sum;
    }

    // Tables go on counting from segment to segment; they are added up at the end, or before they could overflow.
    private void Return(Tables tables, long elements)
    {
        tables.Elements += elements;
        if (tables.Elements > int.MaxValue)
            AddUp(tables);
        _pool.Add(tables);
    }

    private void AddUp(Tables tables)
    {
        lock (_lock)
        {
            for (var i = 0; i < Count; i++)
                _counts[i] += (long)tables.Counts[i] + tables.Counts[Count + i];
        }
        Array.Clear(tables.Counts);
        tables.Elements = 0;
    }

    /// <summary>Two tables of one thread.</summary>
    private sealed class Tables
    {
        public uint[] Counts { get; } = new uint[2 * Count];

        public long Elements { get; set; }
    }

    private sealed unsafe class Part(ScoreBins owner, Tables tables, long start, long end) : IDeviceReductionPart
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
                    table[Count + (keys[i + 1] >> 16)]++;
                }
                if (i < count)
                    table[keys[i] >> 16]++;
            }
            if (first + count == end)
                owner.Return(tables, end - start);
        }

        public void Take(long first, DeviceOperands operands)
        {
            var counts = operands.UpperCounts(0);
            for (var i = 0; i < counts.Length; i++)
                tables.Counts[i] += counts[i];
            if (first + operands.Count == end)
                owner.Return(tables, end - start);
        }
    }
}

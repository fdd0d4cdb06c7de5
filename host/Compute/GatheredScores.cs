using System.Runtime.CompilerServices;
using Merge.Compute.Gpu;

namespace Merge.Compute;

/// <summary>Gathers the elements of some bins, which are few.</summary>
internal sealed class GatheredScores(int[] bins) : BinSearch
{
    // Lists would be copied to larger ones again and again, and what they were lie in memory: these stay.
    private const int Piece = 1 << 11;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, List<ArraySegment<(uint Key, long Position)>>> _segments = [];

    private IEnumerable<(uint Key, long Position)> All => _segments.Values.SelectMany(s => s).SelectMany(p => p);

    public override IReductionPart Begin(long start, long end) => new Part(this, bins, start, end);

    public override void Find(SelectionTarget[] targets)
    {
        foreach (var group in targets.GroupBy(t => t.Bin))
        {
            var keys = new uint[All.Count(g => g.Key >> 16 == group.Key)];
            foreach (var (place, found) in All.Where(g => g.Key >> 16 == group.Key).Index())
                keys[place] = found.Key;
            Array.Sort(keys);
            foreach (var target in group)
            {
                target.Key = keys[target.RankInBin];
                var above = keys.LongLength - Array.FindLastIndex(keys, k => k == target.Key) - 1;
                if (target.TakeTies(above, keys.LongCount(k => k == target.Key)))
                    FindLast(target);
            }
        }
    }

    private void FindLast(SelectionTarget target)
    {
        foreach (var (key, position) in All)
        {
            if (key == target.Key && --target.TiesLeft == 0)
                target.EndAt(position);
        }
    }

    private sealed unsafe class Part(GatheredScores owner, int[] bins, long start, long end) : IDeviceReductionPart
    {
        private readonly List<ArraySegment<(uint Key, long Position)>> _found = [];
        private (uint, long)[] _piece = [];
        private int _taken;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Take(long first, int count, ReadOnlySpan<nint> operands)
        {
            var keys = stackalloc uint[count];
            ScoreKey.Of((float*)operands[0], count, keys);
            var places = stackalloc int[count];
            foreach (var bin in bins)
            {
                // Without a branch: it would be guessed wrong too often.
                var found = 0;
                for (var i = 0; i < count; i++)
                {
                    places[found] = i;
                    found += keys[i] >> 16 == (uint)bin ? 1 : 0;
                }
                for (var i = 0; i < found; i++)
                    Add(keys[places[i]], first + places[i]);
            }
            if (first + count == end)
                End();
        }

        public void Take(long first, DeviceOperands operands)
        {
            foreach (var bin in bins)
            {
                var low = (uint)bin << 16;
                foreach (var (place, key) in operands.Gather(0, low, low | 0xffff))
                    Add(key, first + place);
            }
            if (first + operands.Count == end)
                End();
        }

        private void Add(uint key, long position)
        {
            if (_taken == _piece.Length)
            {
                Keep();
                (_piece, _taken) = (new (uint, long)[Piece], 0);
            }
            _piece[_taken++] = (key, position);
        }

        private void Keep()
        {
            if (_taken > 0)
                _found.Add(new(_piece, 0, _taken));
        }

        private void End()
        {
            Keep();
            lock (owner._lock)
                owner._segments.Add(start, _found);
        }
    }
}

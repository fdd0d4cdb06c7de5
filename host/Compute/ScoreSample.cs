namespace Merge.Compute;

/// <summary>
/// Keys of a small part of a tensor: short runs spread over it. What it says of ranks need only be near: a bracket
/// that misses its rank costs time, not exactness.
/// </summary>
internal sealed class ScoreSample
{
    /// <summary>Elements of a run.</summary>
    public const int RunLength = 128;

    // The bracket reaches so many standard errors to either side.
    private const double Reach = 4;

    private readonly Lock _lock = new();
    private readonly List<uint[]> _runs = [];
    private uint[]? _sorted;

    /// <summary>Runs taken of so many elements: more runs cost more to read, and spare counting.</summary>
    public static long RunsOf(long count) => Math.Clamp(count >> 15, 32, 1024);

    public IReductionPart Begin(long start, long end) => new Part(this, start, end);

    /// <summary>Keys between which, both included, a rank lies most likely, and the one it has most likely.</summary>
    public (uint Low, uint Middle, uint High) Bracket(long rank, long count)
    {
        if (_sorted is null)
        {
            _sorted = [.. _runs.SelectMany(r => r)];
            Array.Sort(_sorted);
        }
        var share = (rank + 0.5) / count;
        var middle = _sorted[(int)(share * _sorted.Length)];

        // Elements that lie together are alike, so a run may say little more than one element would: how far the runs
        // differ tells.
        var variance = share * (1 - share) / _sorted.Length;
        var mean = _runs.Average(r => ShareBelow(r, middle));
        var ofRuns = _runs.Sum(r => Math.Pow(ShareBelow(r, middle) - mean, 2)) / _runs.Count / _runs.Count;
        var reach = (Reach * Math.Sqrt(Math.Max(variance, ofRuns)) * _sorted.Length) + 2;
        var low = (share * _sorted.Length) - reach;
        var high = (share * _sorted.Length) + reach;
        return (
            low < 0 ? 0 : _sorted[(int)low],
            middle,
            high >= _sorted.Length ? uint.MaxValue : _sorted[(int)high]);
    }

    private static double ShareBelow(uint[] run, uint key)
    {
        var below = 0;
        foreach (var k in run)
            below += k < key ? 1 : 0;
        return (double)below / run.Length;
    }

    private sealed unsafe class Part(ScoreSample owner, long start, long end) : IReductionPart
    {
        private readonly uint[] _keys = new uint[end - start];

        public void Take(long first, int count, ReadOnlySpan<nint> operands)
        {
            fixed (uint* keys = _keys)
                ScoreKey.Of((float*)operands[0], count, keys + (first - start));
            if (first + count != end)
                return;
            lock (owner._lock)
                owner._runs.Add(_keys);
        }
    }
}

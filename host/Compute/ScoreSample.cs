namespace Merge.Compute;

/// <summary>
/// Keys of a small part of each of a selection's members: short runs spread over it, or all of a small one. What it says
/// of ranks need only be near: a bracket that misses its rank costs time, not exactness.
/// </summary>
internal sealed class ScoreSample(SelectionMembers members)
{
    /// <summary>Elements of a run.</summary>
    public const int RunLength = 128;

    // The bracket reaches so many standard errors to either side.
    private const double Reach = 4;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, (int Member, uint[] Keys)> _runs = [];
    private double[]? _weights;
    private ulong[]? _sorted;

    /// <summary>Bytes held at most.</summary>
    public long Bytes => (sizeof(uint) + (2 * sizeof(ulong))) * Enumerable.Range(0, members.Counts.Count).Sum(
        m => Math.Min(members.Counts[m], Math.Max(RunsOf(m) * RunLength, 4 * LeastRuns * RunLength)));

    private int LeastRuns => members.Counts.Count == 1 ? 32 : 4;

    /// <summary>Runs taken of a member: more runs cost more to read, and spare counting.</summary>
    public long RunsOf(int member)
    {
        // Of several members each has its share; errors of a model's shares reach over more elements.
        var most = members.Counts.Count == 1 ? 1024 : 8192;
        var ofAll = Math.Clamp(members.Elements >> 15, LeastRuns, most);
        return Math.Max(LeastRuns, (long)((double)members.Counts[member] / members.Elements * ofAll));
    }

    /// <summary>Begins a run of a member.</summary>
    public IReductionPart Begin(int member, long start, long end) => new Part(this, member, start, end);

    /// <summary>Keys between which, both included, a rank lies most likely, and the one it has most likely.</summary>
    public (uint Low, uint Middle, uint High) Bracket(long rank)
    {
        _weights ??= Weights();
        _sorted ??= Sorted();
        var share = (rank + 0.5) / members.Elements;
        var middle = KeyAt(share) ?? uint.MaxValue;
        var reach = (Reach * Math.Sqrt(Variance(middle))) + (2 * _weights.Max());
        return (
            share < reach ? 0 : KeyAt(share - reach) ?? uint.MaxValue,
            middle,
            KeyAt(share + reach) ?? uint.MaxValue);
    }

    // Of all elements, which share one that was sampled of a member stands for.
    private double[] Weights()
    {
        var sampled = new long[members.Counts.Count];
        foreach (var (member, keys) in _runs.Values)
            sampled[member] += keys.Length;
        return [.. sampled.Select((n, m) => n == 0 ? 0 : (double)members.Counts[m] / n / members.Elements)];
    }

    // Each with its member in the lower half.
    private ulong[] Sorted()
    {
        ulong[] sorted = [.. _runs.Values.SelectMany(r => r.Keys.Select(k => ((ulong)k << 32) | (uint)r.Member))];
        Array.Sort(sorted);
        return sorted;
    }

    // Null above all.
    private uint? KeyAt(double share)
    {
        var below = 0.0;
        foreach (var one in _sorted!)
        {
            below += _weights![(uint)one];
            if (below > share)
                return (uint)(one >> 32);
        }
        return null;
    }

    // That of the share below a key. Elements that lie together are alike, so a run may say little more than one element
    // would: how far a member's runs differ tells. How the members differ does not count, as each has its share.
    private double Variance(uint key)
    {
        var (independent, ofRuns) = (0.0, 0.0);
        foreach (var runs in _runs.Values.GroupBy(r => r.Member, r => r.Keys))
        {
            var sampled = runs.Sum(r => r.LongLength);
            if (sampled == members.Counts[runs.Key])
                continue;
            var weight = _weights![runs.Key];
            double[] below = [.. runs.Select(r => (double)r.Count(k => k < key))];
            var share = below.Sum() / sampled;
            independent += weight * weight * share * (1 - share) * sampled;
            ofRuns += weight * weight * below.Zip(runs).Sum(r => Math.Pow(r.First - (share * r.Second.Length), 2));
        }
        return Math.Max(independent, ofRuns);
    }

    private sealed unsafe class Part(ScoreSample owner, int member, long start, long end) : IReductionPart
    {
        private readonly uint[] _keys = new uint[end - start];

        public void Take(long first, int count, ReadOnlySpan<nint> operands)
        {
            fixed (uint* keys = _keys)
                ScoreKey.Of((float*)operands[0], count, keys + (first - start));
            if (first + count != end)
                return;
            lock (owner._lock)
                owner._runs.Add(start, (member, _keys));
        }
    }
}

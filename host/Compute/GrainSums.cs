namespace Merge.Compute;

/// <summary>
/// Sums of grains, added pairwise by the grains' indices as soon as both of a pair are there, whichever thread brings
/// them: the bits are those of <see cref="PairwiseTree"/>, and no more is held than the pairs that wait for each other.
/// What has been added serves as memory for the next grain's sums.
/// </summary>
/// <param name="length">Numbers of a grain's sums.</param>
internal sealed class GrainSums(int length)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(int Level, long Index), double[]> _waiting = [];
    private readonly Stack<double[]> _free = new();

    /// <summary>Zeros to add a grain up in.</summary>
    public double[] Rent()
    {
        double[]? used;
        lock (_gate)
            _free.TryPop(out used);
        used?.AsSpan().Clear();
        return used ?? new double[length];
    }

    /// <summary>Takes a grain's sums; any thread, any order.</summary>
    public void Add(long grain, double[] sums)
    {
        var place = (Level: 0, Index: grain);
        while (true)
        {
            double[]? other;
            lock (_gate)
            {
                if (!_waiting.Remove((place.Level, place.Index ^ 1), out other))
                {
                    _waiting.Add(place, sums);
                    return;
                }
            }
            for (var i = 0; i < sums.Length; i++)
                sums[i] += other[i];
            lock (_gate)
                _free.Push(other);
            place = (place.Level + 1, place.Index / 2);
        }
    }

    /// <summary>The sums of all grains, once all are there; zeros for none. Nothing is held after.</summary>
    public double[] Total()
    {
        double[]? total = null;
        foreach (var (_, sums) in _waiting.OrderByDescending(w => w.Key.Index << w.Key.Level))
        {
            for (var i = 0; total is not null && i < sums.Length; i++)
                sums[i] += total[i];
            total = sums;
        }
        _waiting.Clear();
        _free.Clear();
        return total ?? new double[length];
    }
}

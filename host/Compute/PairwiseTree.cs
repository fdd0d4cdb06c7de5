namespace Merge.Compute;

/// <summary>
/// Sums of consecutive grains (several at once), added pairwise by the grains' absolute indices: the order does not
/// depend on where a part begins or ends. It holds a logarithmic number of sums.
/// </summary>
internal sealed class PairwiseTree
{
    private readonly List<(int Level, long Index, double[] Sums)> _nodes = [];

    /// <summary>Adds the sums of a grain, which follows all added before.</summary>
    public void Add(long grain, double[] sums) => Add(0, grain, sums);

    /// <summary>Adds another part, which follows this one.</summary>
    public void Add(PairwiseTree next)
    {
        foreach (var (level, index, sums) in next._nodes)
            Add(level, index, sums);
    }

    /// <summary>The sums of all grains; zeros for none.</summary>
    public double[] Total(int count)
    {
        var total = new double[count];
        for (var i = _nodes.Count - 1; i >= 0; i--)
            total = i == _nodes.Count - 1 ? _nodes[i].Sums : Sum(_nodes[i].Sums, total);
        return total;
    }

    private void Add(int level, long index, double[] sums)
    {
        while (index % 2 == 1 && _nodes.Count > 0 && (_nodes[^1].Level, _nodes[^1].Index) == (level, index - 1))
        {
            sums = Sum(_nodes[^1].Sums, sums);
            _nodes.RemoveAt(_nodes.Count - 1);
            level++;
            index /= 2;
        }
        _nodes.Add((level, index, sums));
    }

    private static double[] Sum(double[] left, double[] right)
    {
        var sums = new double[left.Length];
        for (var i = 0; i < sums.Length; i++)
            sums[i] = left[i] + right[i];
        return sums;
    }
}

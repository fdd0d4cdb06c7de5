namespace Merge.Plugin.Lcsc;

/// <summary>Every point that was asked for, by its values.</summary>
internal sealed class Archive
{
    /// <summary>Points are equal when all their values are.</summary>
    public static readonly IEqualityComparer<double[]> ByValue = new SameValues();

    private readonly HashSet<double[]> _points = new(ByValue);

    /// <summary>Whether the point is new; it is kept then.</summary>
    public bool Add(double[] point) => _points.Add(point);

    private sealed class SameValues : IEqualityComparer<double[]>
    {
        public bool Equals(double[]? x, double[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(double[] point)
        {
            var hash = new HashCode();
            foreach (var value in point)
                hash.Add(value);
            return hash.ToHashCode();
        }
    }
}

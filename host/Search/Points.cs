namespace Merge.Search;

/// <summary>Points are equal when all their values are.</summary>
internal sealed class Points : IEqualityComparer<IReadOnlyList<double>>
{
    public static readonly Points ByValue = new();

    public bool Equals(IReadOnlyList<double>? x, IReadOnlyList<double>? y) => x!.SequenceEqual(y!);

    public int GetHashCode(IReadOnlyList<double> point)
    {
        var hash = new HashCode();
        foreach (var value in point)
            hash.Add(value);
        return hash.ToHashCode();
    }
}

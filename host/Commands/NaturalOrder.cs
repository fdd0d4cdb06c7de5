namespace Merge.Commands;

/// <summary>Orders names as a person does: <c>layers.2</c> before <c>layers.10</c>.</summary>
internal sealed class NaturalOrder : IComparer<string>
{
    public static NaturalOrder Instance { get; } = new();

    private static readonly StringComparer Comparer =
        StringComparer.Create(System.Globalization.CultureInfo.InvariantCulture, System.Globalization.CompareOptions.NumericOrdering);

    public int Compare(string? x, string? y) => Comparer.Compare(x, y) is var order and not 0 ? order : string.CompareOrdinal(x, y);
}

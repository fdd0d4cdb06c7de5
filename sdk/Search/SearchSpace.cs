namespace Merge.Sdk;

/// <summary>What a search may choose.</summary>
/// <param name="Dimensions">In a fixed order: that of a point's values. At least one.</param>
/// <param name="ModelCount">How many models are merged, the base not counted.</param>
public sealed record SearchSpace(IReadOnlyList<SearchDimension> Dimensions, int ModelCount)
{
    /// <summary>The nearest point the strategy takes.</summary>
    public double[] Nearest(IReadOnlyList<double> point) =>
        [.. Dimensions.Select((dimension, i) => dimension.Nearest(point[i]))];

    /// <summary>
    /// A point to begin at: where the recipe gives a value, that; else, for the values of one parameter that belong to
    /// every model (or to all but the first), equal shares 1/K as far as the range allows; else the middle of the range.
    /// </summary>
    public double[] Start()
    {
        var shared = Dimensions.Where(d => d.Model is not null).GroupBy(d => (d.Parameter, d.Group))
            .Where(g => g.Count() >= Math.Max(1, ModelCount - 1)).SelectMany(g => g).ToHashSet();
        return [.. Dimensions.Select(StartOf)];

        double StartOf(SearchDimension dimension) =>
            dimension.Start is { } given ? dimension.Nearest(given)
            : shared.Contains(dimension)
                ? dimension.Nearest(Math.Clamp(1.0 / ModelCount, dimension.Low, dimension.High))
            : dimension.At(0.5);
    }
}

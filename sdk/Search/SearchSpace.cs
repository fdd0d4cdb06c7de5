namespace Merge.Sdk;

/// <summary>What a search may choose.</summary>
/// <param name="Dimensions">In a fixed order: that of a point's values. At least one.</param>
/// <param name="ModelCount">How many models are merged, the base not counted.</param>
public sealed record SearchSpace(IReadOnlyList<SearchDimension> Dimensions, int ModelCount)
{
    /// <summary>The nearest point the strategy takes.</summary>
    public double[] Nearest(IReadOnlyList<double> point) =>
        [.. Dimensions.Select((dimension, i) => dimension.Nearest(point[i]))];
}

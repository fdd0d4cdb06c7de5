namespace Merge.Reports.Charts;

/// <summary>Leaves out marks that would lie over others.</summary>
internal static class Thinning
{
    /// <summary>At most <paramref name="most"/> places: the first in every cell of a grid, as fine as that allows.</summary>
    public static IReadOnlyList<(double X, double Y, int Index)> Of(
        IReadOnlyList<(double X, double Y, int Index)> places, int most)
    {
        var kept = places;
        for (var cell = 1.0; kept.Count > most; cell *= 1.25)
            kept = [.. places.DistinctBy(p => (Math.Floor(p.X / cell), Math.Floor(p.Y / cell)))];
        return kept;
    }
}

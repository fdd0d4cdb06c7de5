using Merge.Sdk;

namespace Merge.Plugin.Lcsc;

/// <summary>
/// The points a search of a trajectory's coefficients begins with: for every β an exponential moving average, the newest
/// checkpoint alone, the uniform average. They set the dimensions of each parameter (and group of layers) that has one
/// for every model, or for every model but the first; all others keep their start.
/// </summary>
internal static class Profiles
{
    public static IEnumerable<double[]> Of(SearchSpace space, IReadOnlyList<double> betas)
    {
        var start = space.Start();
        yield return start;
        var shared = space.Dimensions
            .Select((dimension, at) => (dimension, at))
            .Where(d => d.dimension.Model is not null)
            .GroupBy(d => (d.dimension.Parameter, d.dimension.Group))
            .Where(g => g.Count() >= Math.Max(1, space.ModelCount - 1))
            .SelectMany(g => g).ToArray();
        if (shared.Length == 0)
            yield break;
        foreach (var weights in Weights(space.ModelCount, betas))
        {
            var point = (double[])start.Clone();
            foreach (var (dimension, at) in shared)
                point[at] = Reachable(dimension, weights[dimension.Model!.Value]);
            yield return point;
        }
    }

    private static IEnumerable<double[]> Weights(int models, IReadOnlyList<double> betas)
    {
        foreach (var beta in betas)
            yield return MovingAverage(models, beta);
        yield return [.. Enumerable.Range(0, models).Select(i => i == models - 1 ? 1.0 : 0)];
        yield return [.. Enumerable.Repeat(1.0 / models, models)];
    }

    /// <summary>(1−β)·β^(K−i) for checkpoint i of K, β^(K−1) for the first: they add to 1.</summary>
    private static double[] MovingAverage(int models, double beta) =>
    [
        Math.Pow(beta, models - 1),
        .. Enumerable.Range(2, models - 1).Select(i => (1 - beta) * Math.Pow(beta, models - i)),
    ];

    // A logarithmic scale has no place for 0.
    private static double Reachable(SearchDimension dimension, double value) =>
        dimension.Nearest(dimension.Scale is SearchScale.Logarithmic ? Math.Max(value, dimension.Low) : value);
}

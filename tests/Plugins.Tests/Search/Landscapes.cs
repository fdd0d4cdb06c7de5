using Merge.Sdk;

namespace Plugins.Tests.Search;

/// <summary>Functions of 20 coefficients whose highest value is 0, at a place that depends on the seed.</summary>
internal static class Landscapes
{
    public const int Coefficients = 20;

    /// <summary>The coefficients of a trajectory of 21 checkpoints, looked for between −1 and 1.</summary>
    public static SearchSpace Space { get; } = Of(Coefficients, -1, 1);

    public static SearchSpace Of(int count, double low, double high) => new(
        [
            .. Enumerable.Range(1, count).Select(i =>
                new SearchDimension($"coefficient[{i}]", "coefficient", low, high) { Model = i }),
        ],
        count + 1);

    public static Func<IReadOnlyList<double>, double> Find(string name, ulong seed)
    {
        var random = new SearchRandom(1000 + seed);
        double[] optimum = [.. Enumerable.Range(0, Coefficients).Select(_ => (2 * random.Uniform()) - 1)];
        return name switch
        {
            "sphere" => x => -Away(x).Sum(d => d * d),
            "ellipsoid" => x => -Away(x).Select((d, i) => Math.Pow(100, i / (Coefficients - 1.0)) * d * d).Sum(),
            "valley" => x => -Sums(Away(x)).Sum(s => s * s),
            "waves" => x => -Away(x).Sum(d => (10 * d * d) + 1 - Math.Cos(6 * Math.PI * d)),
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };

        IEnumerable<double> Away(IReadOnlyList<double> x) => x.Select((v, i) => v - optimum[i]);
    }

    // As neighbouring checkpoints do, each coefficient pulls at all later ones.
    private static IEnumerable<double> Sums(IEnumerable<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            yield return sum += value;
    }
}

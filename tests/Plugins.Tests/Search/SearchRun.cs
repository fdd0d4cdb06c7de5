using Merge.Sdk;

namespace Plugins.Tests.Search;

/// <summary>A search of a function, as the host runs it.</summary>
internal static class SearchRun
{
    /// <summary>Every point that was asked for, in order, with its score; the last generation is told and kept whole.</summary>
    /// <param name="budget">Generations begin while fewer points than this were asked for.</param>
    public static List<ScoredPoint> Run(
        ISearcher searcher, int budget, Func<IReadOnlyList<double>, double?> score)
    {
        var trials = new List<ScoredPoint>();
        while (trials.Count < budget)
        {
            ScoredPoint[] generation = [.. searcher.Ask().Select(p => new ScoredPoint(p, score(p)))];
            Assert.NotEmpty(generation);
            searcher.Tell(generation);
            trials.AddRange(generation);
        }
        return trials;
    }

    public static ISearcher Start(this SearcherFactory factory, SearchSpace space, object options, ulong seed = 1) =>
        factory.StartWith(space, options, new SearchRandom(seed));

    /// <summary>The best score among the first <paramref name="budget"/> trials, the median over 15 seeds.</summary>
    public static double MedianBest(SearcherFactory factory, object options, string landscape, int budget)
    {
        double[] best =
        [
            .. Enumerable.Range(1, 15).Select(seed =>
                Run(factory.Start(Landscapes.Space, options, (ulong)seed), budget,
                        x => Landscapes.Find(landscape, (ulong)seed)(x))
                    .Take(budget).Max(t => t.Score!.Value)).Order(),
        ];
        return best[best.Length / 2];
    }
}

using Merge.Sdk;

namespace Plugins.Tests.Search;

/// <summary>
/// What the READMEs promise: the median, over 15 seeds, of the best of 400 points stays below this share of what random
/// search leaves to the optimum of 20 coefficients.
/// </summary>
public sealed class SearchQualityTests
{
    [Theory]
    [InlineData("lcsc", "sphere", 0.25)]
    [InlineData("lcsc", "ellipsoid", 0.25)]
    [InlineData("lcsc", "valley", 0.5)]
    [InlineData("lcsc", "waves", 0.5)]
    [InlineData("cma-es", "sphere", 0.15)]
    [InlineData("cma-es", "ellipsoid", 0.2)]
    [InlineData("cma-es", "valley", 0.5)]
    [InlineData("cma-es", "waves", 0.5)]
    public void Best_of_400_is_nearer_to_the_optimum_than_random_search(string id, string landscape, double share)
    {
        var found = -Median(id, landscape, 400);
        var random = -Median("random", landscape, 400);
        Assert.True(found < share * random, $"{id} leaves {found:G3}, random search {random:G3}: {found / random:P0}");
    }

    [Fact]
    public void Cma_es_descends_an_ellipsoid_to_float64s_end() => Assert.True(
        SearchRun.Run(Searchers.Start("cma-es", Landscapes.Of(6, -1, 1)), 6000,
            x => -x.Select((v, i) => Math.Pow(1e6, i / 5.0) * (v - 0.3) * (v - 0.3)).Sum()).Max(t => t.Score) > -1e-12);

    private static double Median(string id, string landscape, int budget)
    {
        var (factory, options) = Searchers.Find(id);
        return SearchRun.MedianBest(factory, options, landscape, budget);
    }
}

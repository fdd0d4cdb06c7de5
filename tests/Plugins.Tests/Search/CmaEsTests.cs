using MathNet.Numerics.LinearAlgebra.Double;
using Merge.Plugin.Searchers;
using Merge.Sdk;

namespace Plugins.Tests.Search;

public sealed class CmaEsTests
{
    private static readonly CmaEsSearcher _cma = new();

    // n = 10, λ = 10: computed independently (Python) from the tutorial's table 1.
    [Fact]
    public void Defaults_are_those_of_the_tutorial()
    {
        Assert.Equal([4, 6, 10, 12, 17], new[] { 1, 2, 10, 20, 100 }.Select(CmaSettings.DefaultPopulation));
        var settings = new CmaSettings(10, 10);
        Assert.Equal(5, settings.Mu);
        Assert.Equal(3.1672992814107026, settings.MuEff, 1e-12);
        Assert.Equal(0.2844285879463675, settings.CSigma, 1e-12);
        Assert.Equal(1.2844285879463675, settings.DSigma, 1e-12);
        Assert.Equal(0.29499038303562225, settings.CC, 1e-12);
        Assert.Equal(0.015283824524751714, settings.C1, 1e-12);
        Assert.Equal(0.023551776650417484, settings.CMu, 1e-12);
        Assert.Equal(0.45627264690340597, settings.Weights[0], 1e-12);
        Assert.Equal(-0.5497499176973852, settings.Weights[^1], 1e-12);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(1, 4)]
    [InlineData(2, 3)]
    [InlineData(20, 12)]
    [InlineData(5, 500)]
    public void Weights_of_the_best_add_to_one_and_the_covariance_keeps_a_share(int n, int lambda)
    {
        var s = new CmaSettings(n, lambda);
        Assert.Equal(1, s.Weights.Take(s.Mu).Sum(), 1e-12);
        Assert.All(s.Weights.Skip(s.Mu), w => Assert.True(w <= 0));
        Assert.True(1 - s.C1 - (s.CMu * s.Weights.Sum()) >= 0);
        Assert.All([s.CSigma, s.CC, s.C1, s.CMu], c => Assert.InRange(c, 0, 1));
    }

    [Fact]
    public void The_mean_moves_to_the_weighted_mean_of_the_best()
    {
        var settings = new CmaSettings(2, 4);
        var distribution = new CmaDistribution(settings, [1, 2], 0.5);
        double[][] steps = [[1, 0], [0, 2], [-1, -1], [5, 5]];
        distribution.Learn([.. steps.Select(y => DenseVector.OfArray(y))]);
        Assert.Equal(1 + (0.5 * settings.Weights[0]), distribution.Mean[0], 1e-12);
        Assert.Equal(2 + (0.5 * 2 * settings.Weights[1]), distribution.Mean[1], 1e-12);
    }

    [Fact]
    public void Where_points_fail_the_rest_keep_their_proportions()
    {
        var settings = new CmaSettings(2, 8);
        var distribution = new CmaDistribution(settings, [0, 0], 1);
        distribution.Learn([DenseVector.OfArray([1, 0]), DenseVector.OfArray([0, 1])]);
        Assert.Equal(1, distribution.Mean.Sum(), 1e-12);
        Assert.Equal(settings.Weights[0] / settings.Weights[1], distribution.Mean[0] / distribution.Mean[1], 1e-12);
    }

    [Fact]
    public void Draws_have_the_covariance_that_was_learnt()
    {
        var distribution = new CmaDistribution(new CmaSettings(2, 6), [0, 0], 1);
        // Always the same direction is rewarded: the variance along it grows.
        for (var i = 0; i < 30; i++)
        {
            double[][] steps = [[2, 2], [1.5, 1.5], [1, 1], [-1, 1], [1, -1], [-1, -1]];
            distribution.Learn([.. steps.Select(y => DenseVector.OfArray(y))]);
        }
        var random = new SearchRandom(1);
        var drawn = Enumerable.Range(0, 5000).Select(_ => distribution.Draw(random)).ToArray();
        Assert.True(drawn.Average(y => (y[0] + y[1]) * (y[0] + y[1])) > 4 * drawn.Average(y => (y[0] - y[1]) * (y[0] - y[1])));
    }

    [Fact]
    public void A_covariance_that_becomes_a_needle_is_degenerate_and_not_an_error()
    {
        var distribution = new CmaDistribution(new CmaSettings(3, 7), [0, 0, 0], 1);
        // No step ever leaves the first axis: along the others the variance dies out.
        var steps = Enumerable.Range(1, 7).Select(i => DenseVector.OfArray([i, 0, 0])).ToArray();
        for (var i = 0; i < 3000 && !distribution.IsDegenerate; i++)
            distribution.Learn(steps);
        Assert.True(distribution.IsDegenerate);
        Assert.All(distribution.Draw(new SearchRandom(1)), v => Assert.True(double.IsFinite(v)));
    }

    [Theory]
    [InlineData(Restarts.Doubled, 8)]
    [InlineData(Restarts.Same, 4)]
    [InlineData(Restarts.None, 4)]
    public void A_search_that_stalls_begins_anew_as_it_is_told_to(Restarts restarts, int population)
    {
        var searcher = _cma.Start(new SearchSpace([new("x", "x", -1, 1)], 1),
            new CmaEsOptions { Population = 4, Restarts = restarts });
        var (spread, size) = (0.0, 0);
        for (var generation = 0; generation < 60; generation++)
        {
            var asked = searcher.Ask();
            (spread, size) = (asked.Max(p => p[0]) - asked.Min(p => p[0]), asked.Count);
            searcher.Tell([.. asked.Select(p => new ScoredPoint(p, 1))]);
        }
        Assert.True(size >= population && (restarts is Restarts.Doubled || size == population));
        Assert.True(double.IsFinite(spread));
    }

    [Fact]
    public void Second_deepest_basin_is_left_by_a_restart()
    {
        // A wide basin at −0.8, a deeper narrow one at 0.9.
        static double Score(IReadOnlyList<double> x) =>
            Math.Max(1 - Math.Abs(x[0] + 0.8), 3 - (40 * Math.Abs(x[0] - 0.9)));
        var space = new SearchSpace([new("x", "x", -1, 1) { Start = -0.8 }], 1);
        var options = new CmaEsOptions { Sigma = 0.05 };
        var once = SearchRun.Run(_cma.Start(space, options with { Restarts = Restarts.None }), 4000, x => Score(x));
        var again = SearchRun.Run(_cma.Start(space, options), 4000, x => Score(x));
        Assert.True(once.Max(t => t.Score) <= 1);
        Assert.True(again.Max(t => t.Score) > 2.9);
    }
}

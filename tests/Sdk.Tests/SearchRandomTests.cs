using Merge.Sdk;

namespace Sdk.Tests;

public sealed class SearchRandomTests
{
    private const int Many = 100_000;

    // Computed independently (Python's integers) from the definition: mix(mix(seed) xor n), the upper 53 bits.
    [Theory]
    [InlineData(0, new[] { 0.6524484863740322, 0.03401170130434639, 0.8429655109060831, 0.781499285280747 })]
    [InlineData(2026, new[] { 0.4314795926073478, 0.9906239159192511, 0.6844799386667362, 0.11708689030521868 })]
    public void A_draw_is_known_from_seed_and_count(ulong seed, double[] expected)
    {
        var random = new SearchRandom(seed);
        Assert.Equal(expected, expected.Select(_ => random.Uniform()));
        Assert.Equal((seed, expected.Length), (random.Seed, random.Draws));
    }

    [Fact]
    public void Draws_are_counted()
    {
        var random = new SearchRandom(1);
        random.Uniform();
        random.Normal();
        random.Below(7);
        Assert.Equal(4, random.Draws);
    }

    [Fact]
    public void Uniform_fills_the_unit_interval_evenly()
    {
        var random = new SearchRandom(3);
        var bins = new int[64];
        for (var i = 0; i < Many; i++)
            bins[(int)(random.Uniform() * bins.Length)]++;
        // χ² of 63 degrees of freedom is above 103 once in a thousand seeds.
        var expected = (double)Many / bins.Length;
        Assert.True(bins.Sum(b => (b - expected) * (b - expected) / expected) < 103);
    }

    [Fact]
    public void Normal_has_the_moments_and_tails_of_the_standard_normal()
    {
        var random = new SearchRandom(4);
        double[] drawn = [.. Enumerable.Range(0, Many).Select(_ => random.Normal())];
        // Four standard errors each.
        Assert.Equal(0, drawn.Average(), 4 / Math.Sqrt(Many));
        Assert.Equal(1, drawn.Average(x => x * x), 4 * Math.Sqrt(2.0 / Many));
        Assert.Equal(0, drawn.Average(x => x * x * x), 4 * Math.Sqrt(15.0 / Many));
        Assert.Equal(3, drawn.Average(x => x * x * x * x), 4 * Math.Sqrt(96.0 / Many));
        Assert.Equal(0.0455, (double)drawn.Count(x => Math.Abs(x) > 2) / Many, 4 * Math.Sqrt(0.0434 / Many));
        Assert.All(drawn, x => Assert.True(double.IsFinite(x)));
    }

    [Fact]
    public void Neighbouring_draws_and_seeds_are_uncorrelated()
    {
        var (a, b) = (new SearchRandom(5), new SearchRandom(6));
        double sum = 0, along = 0, before = 0;
        for (var i = 0; i < Many; i++)
        {
            var (x, y) = (a.Uniform() - 0.5, b.Uniform() - 0.5);
            (sum, along, before) = (sum + (x * y), along + (x * before), x);
        }
        Assert.Equal(0, 12 * sum / Many, 4 / Math.Sqrt(Many));
        Assert.Equal(0, 12 * along / Many, 4 / Math.Sqrt(Many));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    public void Below_gives_every_number_under_its_bound_equally_often(int bound)
    {
        var random = new SearchRandom(7);
        var counts = new int[bound];
        for (var i = 0; i < Many; i++)
            counts[random.Below(bound)]++;
        Assert.All(counts, c => Assert.Equal(1.0 / bound, (double)c / Many, 4 * Math.Sqrt(1.0 / bound / Many)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Nothing_is_below_less_than_one(int bound) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SearchRandom(1).Below(bound));
}

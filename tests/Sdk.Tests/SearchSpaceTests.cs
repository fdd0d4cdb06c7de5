using Merge.Sdk;

namespace Sdk.Tests;

public sealed class SearchSpaceTests
{
    private static readonly SearchDimension _linear = new("lambda", "lambda", -1, 3);
    private static readonly SearchDimension _log = new("tau", "tau", 0.01, 100) { Scale = SearchScale.Logarithmic };

    [Theory]
    [InlineData(0, -1, 0.01)]
    [InlineData(0.5, 1, 1)]
    [InlineData(1, 3, 100)]
    [InlineData(1.5, 5, 1e4)]
    public void A_place_is_a_value_and_back(double place, double linear, double log)
    {
        Assert.Equal(linear, _linear.At(place), 1e-12);
        Assert.Equal(log, _log.At(place), 1e-9 * log);
        Assert.Equal(place, _linear.PlaceOf(linear), 1e-12);
        Assert.Equal(place, _log.PlaceOf(log), 1e-12);
    }

    [Fact]
    public void Values_stay_where_the_strategy_takes_them()
    {
        var density = _linear with { Minimum = 0, Maximum = 1 };
        Assert.Equal([0, 0.5, 1], new[] { -1, 0.5, 7 }.Select(density.Nearest));
        Assert.Equal(1, density.At(1));
        var rank = new SearchDimension("rank", "rank", 1, 8) { IsInteger = true, Minimum = 1 };
        Assert.Equal([1, 2, 9], new[] { -3, 2.4, 9.2 }.Select(rank.Nearest));
        var space = new SearchSpace([density, rank], 2);
        Assert.Equal([1, 3], space.Nearest([4, 2.9]));
    }

    [Fact]
    public void A_search_starts_at_the_recipes_values()
    {
        var space = new SearchSpace([_linear with { Start = 2 }, _linear with { Start = 9, Maximum = 5 }], 2);
        Assert.Equal([2, 5], space.Start());
    }

    [Fact]
    public void A_search_starts_in_the_middle_of_a_range() =>
        Assert.Equal([1, 1], new SearchSpace([_linear, _log], 3).Start());

    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 4)]
    public void Values_of_every_model_start_at_equal_shares(int first, int models)
    {
        var space = new SearchSpace([.. Models(first, models, "weight"), _linear], models);
        Assert.Equal([.. Enumerable.Repeat(0.25, models - first), 1.0], space.Start());
    }

    [Fact]
    public void Values_of_some_models_only_start_in_the_middle() =>
        Assert.Equal([1, 1], new SearchSpace([.. Models(0, 2, "weight")], 4).Start());

    [Fact]
    public void Each_group_of_layers_has_its_own_shares()
    {
        SearchDimension[] dimensions =
        [
            .. Models(0, 2, "weight").Select(d => d with { Group = "layers 0-3" }),
            .. Models(0, 1, "weight").Select(d => d with { Group = "layers 4-7" }),
        ];
        Assert.Equal([1.0 / 3, 1.0 / 3, 1], new SearchSpace(dimensions, 3).Start());
    }

    [Fact]
    public void An_equal_share_outside_the_range_becomes_its_end()
    {
        var space = new SearchSpace([.. Models(0, 4, "density").Select(d => d with { Low = 0.5, High = 0.9 })], 4);
        Assert.Equal([0.5, 0.5, 0.5, 0.5], space.Start());
    }

    private static IEnumerable<SearchDimension> Models(int first, int end, string parameter) =>
        Enumerable.Range(first, end - first)
            .Select(m => _linear with { Name = $"{parameter}[{m}]", Parameter = parameter, Model = m });
}

using Merge.Recipes;
using Merge.Search;

namespace Host.Tests.Search;

public sealed class NameFiltersTests
{
    [Fact]
    public void Layers_of_one_value_are_one_filter_each_and_the_commonest_needs_none()
    {
        var filters = NameFilters.Of(new Dictionary<string, double>
        {
            ["embed"] = 1,
            ["layers.1.a"] = 1,
            ["layers.1.b"] = 1,
            ["layers.11.a"] = 2,
            ["layers.11.b"] = 2,
            ["norm"] = 3,
        });
        Assert.Equal([("layers.11.", 2.0), ("norm", 3.0), (null, 1.0)], filters);
    }

    [Fact]
    public void Names_that_hold_each_other_still_get_their_own_values()
    {
        var values = new Dictionary<string, double> { ["w"] = 1, ["x.w"] = 2, ["x.w.s"] = 3, ["y.x.w"] = 4, ["layers.0"] = 5, ["layers.0.w"] = 6 };
        var filters = NameFilters.Of(values);
        Assert.All(values, v => Assert.Equal(v.Value, filters.First(f => FilterRule.Matches(f.Filter, v.Key)).Value));
    }
}

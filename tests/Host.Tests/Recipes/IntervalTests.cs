using Merge.Recipes;

namespace Host.Tests.Recipes;

public sealed class IntervalTests
{
    [Theory]
    [InlineData("[0, 1]", 1.5, "at most 1")]
    [InlineData("[0, 1)", 1, "less than 1")]
    [InlineData("(0, inf)", 0, "more than 0")]
    [InlineData("[-0.5, 1]", -2, "at least -0.5")]
    [InlineData("(0, inf)", double.PositiveInfinity, "a finite number")]
    [InlineData("[0, 1]", 0.5, null)]
    public void What_is_out_of_bounds_is_told_the_bound_it_is_beyond(string bounds, double value, string? nearest) =>
        Assert.Equal(nearest, Interval.Parse(bounds)!.Nearest(value));
}

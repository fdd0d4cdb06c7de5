using Merge.Search;

namespace Host.Tests.Search;

/// <summary>What follows from a point: the first coefficient of LCSC.</summary>
public sealed class WholePointTests
{
    [Fact]
    public void The_first_models_value_is_what_the_others_leave_in_each_group()
    {
        var whole = new WholePoint(["pf", "coefficient[1]/layers 0-1", "coefficient[1]/rest", "coefficient[2]/layers 0-1", "coefficient[2]/rest"]);
        Assert.Equal(
            ["pf", "coefficient[0]/layers 0-1", "coefficient[0]/rest", "coefficient[1]/layers 0-1", "coefficient[1]/rest", "coefficient[2]/layers 0-1", "coefficient[2]/rest"],
            whole.Values.Select(v => v.Name));
        Assert.Equal([7, 0.5, 4, 0.25, -1, 0.25, -2], whole.Values.Select(v => v.Of([7, 0.25, -1, 0.25, -2])));
        Assert.Equal(2, whole.Following.Count());
    }

    [Theory]
    [InlineData("weight[0] weight[1] weight[2]")]
    [InlineData("lambda density")]
    [InlineData("weight[0]/a[1] weight[1]/a[1]")]
    public void Where_all_are_searched_nothing_follows(string names) =>
        Assert.Equal(names.Split(' '), new WholePoint(names.Split(' ')).Values.Select(v => v.Name));
}

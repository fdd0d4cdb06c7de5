using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Recipes;

public class OptionsSchemaTests
{
    public enum Rescale
    {
        None,
        InverseDensity,
    }

    public sealed record Good
    {
        [Parameter("factor w", Bounds = "[0, 2)", Required = true), Searchable(0.1, 1.5)]
        public PerModel<double> Weight { get; init; } = 1;

        [Parameter("steps")] public int MaxIter { get; init; } = 10;

        [Parameter("how", Name = "rescaling")] public Rescale How { get; init; }

        [Parameter("file"), SideInput("moment")] public PerModel<string?> MomentPath { get; init; }

        [Parameter("a limit")] public double? Limit { get; init; }

        [Parameter("layers")] public int[]? Layers { get; init; }

        public string NotAParameter { get; init; } = "";
    }

    public sealed record Bad
    {
        [Parameter("x", Bounds = "0..1")] public double BadBounds { get; init; }
        [Parameter("x", Bounds = "[2, 1]")] public double EmptyBounds { get; init; }
        [Parameter("x", Bounds = "[0, 1]")] public string BoundedText { get; init; } = "";
        [Parameter("x")] public DateTime BadType { get; init; }
        [Parameter("x")] public double NoSetter { get; }
        [Parameter("x", Name = "Shouting Name")] public double BadName { get; init; }
        [Parameter("x")] public double Twin { get; init; }
        [Parameter("x", Name = "twin")] public double SecondTwin { get; init; }
        [Parameter("x", Bounds = "(0, 1]")] public double BadDefault { get; init; }
        [Parameter("x"), Searchable(0, 1)] public bool SearchedBool { get; init; }
        [Parameter("x", Bounds = "[0, 1]"), Searchable(0, 2)] public double SearchedTooFar { get; init; }
        [Parameter("x"), Searchable(0, 1, Scale = SearchScale.Logarithmic)] public double LogFromZero { get; init; }
        [Parameter("x"), Searchable(0, 1, ExceptFirst = true)] public double FirstOfNone { get; init; }
        [Parameter("x"), SideInput("s")] public string SideForAll { get; init; } = "";
        [Searchable(0, 1)] public double NoParameter { get; init; }
    }

    public sealed record Throws
    {
        [Parameter("x")] public double X { get; init; } = double.Parse("none");
    }

    [Fact]
    public void Attributes_and_initial_values_make_the_schema()
    {
        var schema = OptionsSchema.Of(typeof(Good));
        Assert.Equal(["weight", "max_iter", "rescaling", "moment_path", "limit", "layers"], schema.Parameters.Select(p => p.Name));
        var weight = schema.Find("weight")!;
        Assert.True(weight is { IsPerModel: true, Required: true, Default: 1.0, Text: "factor w", IsNullable: false });
        Assert.Equal((typeof(double), 0.1), (weight.ClrType, weight.Searchable!.Low));
        Assert.True(weight.Bounds!.Contains(0) && !weight.Bounds.Contains(2));
        Assert.Equal("moment", schema.Find("moment_path")!.SideInput!.Name);
        Assert.True(schema.Find("moment_path")!.IsNullable && schema.Find("limit")!.IsNullable && schema.Find("layers")!.IsNullable);
        Assert.Equal((10, Rescale.None), (schema.Find("max_iter")!.Default, schema.Find("rescaling")!.Default));
        Assert.Null(schema.Find("rescaling")!.Bounds);
    }

    [Fact]
    public void Every_fault_is_told_to_the_author_by_name()
    {
        var exception = Assert.Throws<MergeException>(() => OptionsSchema.Of(typeof(Bad)));
        Assert.False(exception.WrongUsage);
        Assert.All(exception.Diagnostics, d => Assert.Equal(Actor.PluginAuthor, d.Actor));
        Assert.Equal(typeof(Bad).GetProperties().Select(p => $"{typeof(Bad).FullName}.{p.Name}").Except([$"{typeof(Bad).FullName}.Twin"]),
            exception.Diagnostics.Select(d => d.Where!));
    }

    [Fact]
    public void A_record_that_throws_is_its_authors_fault()
    {
        var exception = Assert.Throws<MergeException>(() => OptionsSchema.Of(typeof(Throws)));
        Assert.Equal(Actor.PluginAuthor, Assert.Single(exception.Diagnostics).Actor);
    }

    [Theory]
    [InlineData("[0, 1]", 0, true)]
    [InlineData("(0, 1]", 0, false)]
    [InlineData("[0, 1)", 1, false)]
    [InlineData("(0, inf)", 1e300, true)]
    [InlineData("(0, inf)", double.PositiveInfinity, false)]
    [InlineData("(0, inf]", double.PositiveInfinity, true)]
    [InlineData("[-inf, 0]", double.NegativeInfinity, true)]
    [InlineData("[-1.5, 1e-3]", 0.001, true)]
    [InlineData("[3,3]", 3, true)]
    [InlineData("[0, 1]", double.NaN, false)]
    public void Bounds_hold_what_they_say(string text, double value, bool inside) =>
        Assert.Equal(inside, Interval.Parse(text)!.Contains(value));

    [Theory]
    [InlineData("")]
    [InlineData("0, 1")]
    [InlineData("[0 1]")]
    [InlineData("[0, 1, 2]")]
    [InlineData("(1, 1]")]
    [InlineData("[a, b]")]
    public void Text_that_is_no_interval_is_seen(string text) => Assert.Null(Interval.Parse(text));
}

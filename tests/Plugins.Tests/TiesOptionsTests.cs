using Merge.Plugin.Ties;
using Merge.Recipes;
using Merge.Sdk;
using Plugins.Tests.Arrays;

namespace Plugins.Tests;

/// <summary>How recipes set TIES and its relatives, and what is refused.</summary>
public sealed class TiesOptionsTests
{
    private static readonly MergeOnArrays _runner = new();

    private static readonly MergeStrategy[] _strategies =
    [
        new TiesMerge(), new DareLinearMerge(), new DareTiesMerge(), new DellaMerge(), new DellaLinearMerge(),
        new BreadcrumbsMerge(), new BreadcrumbsTiesMerge(),
    ];

    [Fact]
    public void Strategies_are_named_as_in_recipes_and_say_what_they_compute()
    {
        Assert.Equal(
            ["ties", "dare_linear", "dare_ties", "della", "della_linear", "breadcrumbs", "breadcrumbs_ties"],
            _strategies.Select(s => s.Info.Id));
        Assert.All(_strategies, s =>
        {
            Assert.False(string.IsNullOrEmpty(s.Info.Formula));
            Assert.Equal(InputRole.Required, s.Info.Base);
        });
    }

    [Theory]
    [InlineData("ties", true, false)]
    [InlineData("dare_linear", false, Rescaling.L1)]
    [InlineData("dare_ties", false, Rescaling.L1)]
    [InlineData("della", true, true)]
    [InlineData("della_linear", false, true)]
    [InlineData("breadcrumbs", false, false)]
    [InlineData("breadcrumbs_ties", false, false)]
    public void Defaults_are_mergekits(string method, bool normalize, object rescale)
    {
        var schema = Schema(method);
        Assert.True(schema.Find("weight") is { IsPerModel: true, Required: true });
        Assert.True(schema.Find("density") is { IsPerModel: true, Default: 1.0 });
        Assert.True(schema.Find("lambda") is { IsPerModel: false, Default: 1.0 });
        Assert.Equal(normalize, schema.Find("normalize")!.Default);
        Assert.Equal(rescale, schema.Find("rescale")!.Default);
        Assert.Equal(method.StartsWith("breadcrumbs") ? 0.01 : null, schema.Find("gamma")?.Default);
        Assert.Equal(method.StartsWith("della") ? 0.15 : null, schema.Find("epsilon")?.Default);
    }

    [Fact]
    public void Mergekits_parameters_arrive()
    {
        var ties = (TiesOptions)Bind("ties", "density: 0.3", "normalize: false, rescale: true, lambda: 0.5").Options;
        Assert.Equal((0.3, false, true, 0.5), (ties.Density[0], ties.Normalize, ties.Rescale, ties.Lambda));
        var della = (DellaLinearOptions)Bind("della_linear", "density: 0.4, epsilon: 0.1", "int8_mask: true").Options;
        Assert.Equal((0.4, 0.1, false), (della.Density[1], della.Epsilon[1], della.Normalize));
        var breadcrumbs = (BreadcrumbsOptions)Bind("breadcrumbs", "density: 0.9, gamma: 0.05", "normalize: true").Options;
        Assert.Equal((0.9, 0.05, true), (breadcrumbs.Density[0], breadcrumbs.Gamma[0], breadcrumbs.Normalize));
    }

    [Theory]
    [InlineData("true", Rescaling.L1)]
    [InlineData("True", Rescaling.L1)]
    [InlineData("yes", Rescaling.L1)]
    [InlineData("l1", Rescaling.L1)]
    [InlineData("false", Rescaling.None)]
    [InlineData("off", Rescaling.None)]
    [InlineData("none", Rescaling.None)]
    [InlineData("inverse-density", Rescaling.InverseDensity)]
    [InlineData("inverse_density", Rescaling.InverseDensity)]
    public void Dare_takes_mergekits_bool_and_the_papers_rescaling(string text, Rescaling expected) =>
        Assert.Equal(expected, ((DareOptions)Bind("dare_ties", "density: 0.5", $"rescale: {text}").Options).Rescale);

    [Theory]
    [InlineData("ties", "density: 0", "")]
    [InlineData("ties", "density: -0.5", "")]
    [InlineData("ties", "density: .nan", "")]
    [InlineData("ties", "density: half", "")]
    [InlineData("ties", "weight: .inf", "")]
    [InlineData("ties", "", "lambda: .inf")]
    [InlineData("ties", "", "normalize: 2")]
    [InlineData("ties", "", "rescale: inverse-density")]
    [InlineData("dare_linear", "density: -0.1", "")]
    [InlineData("dare_linear", "density: .inf", "")]
    [InlineData("dare_ties", "", "rescale: l2")]
    [InlineData("della", "density: 0", "")]
    [InlineData("della", "epsilon: 0.5", "")]
    [InlineData("della_linear", "epsilon: -0.1", "")]
    [InlineData("breadcrumbs", "density: 0", "")]
    [InlineData("breadcrumbs", "gamma: -0.01", "")]
    [InlineData("breadcrumbs_ties", "gamma: 1.1", "")]
    public void What_is_out_of_bounds_is_refused_with_its_name(string method, string perModel, string global)
    {
        var error = Assert.Throws<MergeException>(() => Bind(method, perModel, global));
        Assert.True(error.WrongUsage);
        var name = (perModel + global).Split(':')[0];
        Assert.All(error.Diagnostics, d => Assert.Contains($"'{name}'", d.Found));
    }

    [Fact]
    public void A_missing_weight_is_told_for_every_model()
    {
        var recipe = RecipeParser.Parse("r.yaml", "merge_method: ties\nmodels: [a, b]\n");
        var error = Assert.Throws<MergeException>(
            () => RecipeOptions.Bind(Schema("ties"), recipe, recipe.Models, "ties", _ => []));
        Assert.Equal(2, error.Diagnostics.Count);
    }

    [Theory]
    [InlineData("ties")]
    [InlineData("breadcrumbs")]
    [InlineData("breadcrumbs_ties")]
    public void A_trim_that_keeps_nothing_is_refused(string method)
    {
        var error = Refused(method, "density: 0.2");
        Assert.Equal("w", error.Where);
        Assert.Contains("density 0.2 keeps none of 2 elements", error.Found);
        Assert.Equal("at least 0.5", error.Expected);
    }

    [Theory]
    [InlineData("della", 0.1, 0.15)]
    [InlineData("della", 0.9, 0.15)]
    [InlineData("della_linear", 0.15, 0.15)]
    [InlineData("della_linear", 0.75, 0.25)]
    public void Della_refuses_probabilities_outside_of_0_and_1(string method, double density, double epsilon)
    {
        var error = Refused(method, $"density: {density}, epsilon: {epsilon}");
        Assert.Equal("both ends above 0 and below 1", error.Expected);
    }

    [Theory]
    [InlineData("ties", "density: 0.75", "", new[] { 14f, 13, 12, 6 })]
    [InlineData("ties", "density: 0.75", "normalize: false", new[] { 14f, 11.5f, 12, 8 })]
    [InlineData("ties", "density: 0.75", "normalize: false, lambda: 0.5", new[] { 12f, 10.75f, 11, 9 })]
    [InlineData("breadcrumbs", "density: 0.5, gamma: 0.25", "", new[] { 9f, 10.5f, 12, 10 })]
    [InlineData("breadcrumbs_ties", "density: 0.5, gamma: 0.25", "", new[] { 9f, 11.5f, 12, 10 })]
    [InlineData("dare_linear", "density: 1", "", new[] { 13f, 10.5f, 12.5f, 9 })]
    public void Worked_examples_hold(string method, string perModel, string global, float[] expected)
    {
        var options = (TaskVectorOptions)Bind(method, perModel, global).Options with { Weight = new(1, 0.5) };
        Assert.Equal(expected, _runner.MergeOne(
            _strategies.Single(s => s.Info.Id == method), options, ArrayTensor.Of(10, 10, 10, 10),
            ArrayTensor.Of(14, 9, 12, 11), ArrayTensor.Of(8, 13, 11, 6)));
    }

    private static OptionsSchema Schema(string method) =>
        OptionsSchema.Of(_strategies.Single(s => s.Info.Id == method).OptionsType);

    /// <summary>Options for two models of weight 1, as a recipe gives them.</summary>
    private static BoundOptions Bind(string method, string perModel, string global)
    {
        var weight = perModel.Contains("weight") ? "" : "weight: 1, ";
        var recipe = RecipeParser.Parse("r.yaml", $$$"""
            merge_method: {{{method}}}
            models:
            - {model: a, parameters: { {{{weight}}}{{{perModel}}} }}
            - {model: b, parameters: { {{{weight}}}{{{perModel}}} }}
            parameters: { {{{global}}} }
            """);
        return RecipeOptions.Bind(Schema(method), recipe, recipe.Models, method, _ => []);
    }

    private static Diagnostic Refused(string method, string perModel)
    {
        var strategy = _strategies.Single(s => s.Info.Id == method);
        var options = Bind(method, perModel, "").Options;
        var error = Assert.Throws<MergeException>(() => _runner.MergeOne(
            strategy, options, ArrayTensor.Of(1, 2), ArrayTensor.Of(3, 4), ArrayTensor.Of(5, 6)));
        Assert.True(error.WrongUsage);
        return Assert.Single(error.Diagnostics);
    }
}

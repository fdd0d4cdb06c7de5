using Merge.Sdk;

namespace Host.Tests.Search;

/// <summary>What may be chosen: dimensions, bounds, starts, and what cannot be searched.</summary>
public sealed class SpaceOfOptionsTests : IDisposable
{
    private readonly OpenRecipe _open = new();

    public void Dispose() => _open.Dispose();

    [Fact]
    public void Every_searchable_parameter_is_in_it_with_its_bounds_and_the_recipes_own_values()
    {
        using var planned = _open.Plan("""
            merge_method: ties
            base_model: base
            models: [{model: a, parameters: {weight: 0.25}}, b]
            parameters: {lambda: 1.2}
            search: {searcher: x}
            """);
        Assert.Equal(["density[0]", "density[1]", "weight[0]", "weight[1]", "lambda"], Names(planned.Space));
        Assert.Equal([null, null, 0.25, null, 1.2], planned.Space.Dimensions.Select(d => d.Start));
        // 0 itself would keep nothing: the bound is open.
        Assert.Equal((double.Epsilon, double.PositiveInfinity), (planned.Space.Dimensions[0].Minimum, planned.Space.Dimensions[0].Maximum));
        Assert.Equal(double.NegativeInfinity, planned.Space.Dimensions[2].Minimum);
    }

    [Fact]
    public void A_range_in_the_recipe_is_a_limit_unless_it_is_open()
    {
        using var planned = _open.Plan("""
            merge_method: linear
            models: [a, b]
            search: {searcher: x, space: {weight: [0.2, 0.7]}}
            """);
        Assert.All(planned.Space.Dimensions, d => Assert.Equal((0.2, 0.7), (d.Minimum, d.Maximum)));
        using var open = _open.Plan("""
            merge_method: linear
            models: [a, b]
            search: {searcher: x, space: {weight: {low: 0.2, high: 0.7, open: true, per: all}}}
            """);
        var only = Assert.Single(open.Space.Dimensions);
        Assert.Equal(("weight", double.PositiveInfinity), (only.Name, only.Maximum));
    }

    [Fact]
    public void Groups_and_filters_name_their_layers_and_parts()
    {
        using var planned = _open.Plan("""
            merge_method: task_arithmetic
            base_model: base
            models: [a]
            search: {searcher: x, layer_groups: 3, filters: [mlp], space: {lambda: {}, weight: {per: layers, low: 0, high: 1}}}
            """);
        Assert.Equal(
            [
                "lambda/layers 0-1/mlp", "lambda/layers 0-1/rest", "lambda/layer 2/mlp", "lambda/layer 2/rest", "lambda/layer 3/mlp",
                "lambda/layer 3/rest", "weight/layers 0-1", "weight/layer 2", "weight/layer 3",
            ],
            Names(planned.Space));
    }

    [Fact]
    public void The_first_coefficient_of_lcsc_follows_from_the_others()
    {
        using var planned = _open.Plan("{merge_method: lcsc, models: run/c-*, search: {searcher: lcsc}}");
        Assert.Equal(["coefficient[1]", "coefficient[2]"], Names(planned.Space));
        Assert.Equal(3, planned.Space.ModelCount);
    }

    [Fact]
    public void Everything_that_cannot_be_searched_is_told_at_once_with_its_line()
    {
        var problems = _open.Refused("""
            merge_method: ties
            base_model: base
            models: [a, b]
            search:
              searcher: x
              space:
                wieght: [0, 1]
                normalize: {}
                density: [-1, 2]
                lambda: {low: 0, high: 1, scale: log, per: model}
            """);
        Assert.Equal(
            [
                ("ties has no parameter 'wieght' to search", 7), ("'normalize' cannot be searched: it is no number", 8),
                ("the range of 'density' ends at -1", 9),
                ("the range of 'lambda' begins at 0 on a logarithmic scale", 10),
                ("'lambda' has one value for all models, not one per model", 10),
            ],
            problems.Select(p => (p.Found, int.Parse(p.Where!.Split("line ")[1]))));
    }

    [Fact]
    public void Groups_without_layers_and_filters_without_tensors_are_refused()
    {
        using var flat = new OpenRecipe(layers: 0);
        Assert.Equal(
            ["groups of layers are asked for, and the models have no numbered layers", "the filter 'mpl' of 'search' matches no tensor"],
            flat.Refused("{merge_method: linear, models: [a, b], search: {searcher: x, layer_groups: 2, filters: [mpl]}}").Select(p => p.Found));
        Assert.Equal("'layer_groups' is 9, and there are 4 layers", Assert.Single(
            _open.Refused("{merge_method: linear, models: [a, b], search: {searcher: x, layer_groups: 9}}")).Found);
        Assert.Contains("has no parameter that is marked as searchable", Assert.Single(
            _open.Refused("{merge_method: uniform, models: [a, b], search: {searcher: x}}")).Found);
    }

    private static IEnumerable<string> Names(SearchSpace space) => space.Dimensions.Select(d => d.Name);
}

using Merge.Sdk;

namespace Host.Tests.Search;

/// <summary>The recipe of a point merges to the bytes the search scored.</summary>
public sealed class ChosenRecipeTests : IDisposable
{
    private readonly OpenRecipe _open = new();

    public static TheoryData<string> Recipes => new(
        """
        merge_method: linear
        models: [a, b]
        parameters: {normalize: false}
        search: {searcher: x}
        """,
        """
        merge_method: linear
        models: run/c-*
        dtype: bfloat16
        search: {searcher: x, space: {weight: [-1, 2]}}
        """,
        """
        merge_method: task_arithmetic
        base_model: base
        models:
          - model: base
          - {model: a, parameters: {weight: 0.5}}
          - {model: run/c-*, last: 2, parameters: {weight: 0.25}}
        parameters: {weight: 3}
        search: {searcher: x, space: [lambda]}
        """,
        """
        merge_method: ties
        base_model: base
        models: [a, {model: b, parameters: {density: [0.2, 0.9]}}]
        parameters: {lambda: 0.8, density: 0.5}
        search: {searcher: x, layer_groups: 3, space: {weight: {}, density: {low: 0.2, high: 1, per: layers}, lambda: {per: all}}}
        """,
        """
        merge_method: ties
        base_model: base
        models: [a, b]
        search: {searcher: x, layers_per_group: 2, filters: [self_attn, mlp], space: {weight: {}, density: [0.2, 1]}}
        """,
        """
        merge_method: task_arithmetic
        base_model: base
        models: [a, b]
        search: {searcher: x, layer_groups: 3, smooth: true, filters: [mlp]}
        """,
        """
        merge_method: linear
        slices:
          - sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [1, 3], parameters: {weight: 5}}]
          - sources: [{model: b, layer_range: [0, 2]}, {model: run/c-1, layer_range: [2, 4]}]
            parameters: {weight: [1, 2]}
        parameters: {normalize: false}
        search: {searcher: x}
        """,
        """
        merge_method: linear
        modules:
          text_decoder:
            models: [a, b]
            parameters: {weight: 1}
        search: {searcher: x}
        """,
        """
        merge_method: karcher
        base_model: base
        models: [a, b]
        search: {searcher: x, space: {max_iter: {low: 1, high: 9}}}
        """);

    public void Dispose() => _open.Dispose();

    [Theory]
    [MemberData(nameof(Recipes))]
    public void It_merges_to_the_candidates_bytes(string text)
    {
        using var planned = _open.Plan(text);
        var random = new SearchRandom(3);
        var recipes = planned.Recipes(Path.Combine(_open.Root, "out"));
        for (var i = 0; i < 3; i++)
        {
            double[] point = [.. planned.Space.Dimensions.Select(d => d.At(random.Uniform()))];
            var expected = OpenRecipe.Candidate(planned, point);
            var yaml = recipes.At(point, "the best");
            Assert.StartsWith("# the best\n", yaml);
            Assert.DoesNotContain("search", yaml);
            var actual = _open.Run(yaml);
            Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
            Assert.All(expected, t => Assert.True(t.Value.AsSpan().SequenceEqual(actual[t.Key]), $"{t.Key} differs\n{yaml}"));
        }
    }

    [Fact]
    public void Different_points_are_different_merges()
    {
        using var planned = _open.Plan("{merge_method: linear, models: [a, b], search: {searcher: x}}");
        var (one, other) = (OpenRecipe.Candidate(planned, [0.2, 0.7]), OpenRecipe.Candidate(planned, [0.7, 0.2]));
        Assert.All(one, t => Assert.False(t.Value.AsSpan().SequenceEqual(other[t.Key])));
    }
}

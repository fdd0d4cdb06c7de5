using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Recipes;

public class OptionsScopeTests
{
    public enum Mode
    {
        Low,
        High,
    }

    public sealed record Options
    {
        [Parameter("weight w", Bounds = "[-10, 10]", Required = true)] public PerModel<double> Weight { get; init; }
        [Parameter("t")] public double T { get; init; } = -1;
        [Parameter("mode")] public Mode Mode { get; init; }
        [Parameter("file"), SideInput("v")] public PerModel<string?> File { get; init; }
    }

    private const string Whole = "merge_method: m\nmodels: [a, b]\n";

    private static OptionsBinder Binder(string text) =>
        new(OptionsSchema.Of(typeof(Options)), RecipeParser.Parse("r.yaml", text), "m", _ => []);

    private static OptionsScope Scope(string text, out OptionsBinder binder)
    {
        var recipe = RecipeParser.Parse("r.yaml", text);
        binder = new(OptionsSchema.Of(typeof(Options)), recipe, "m", _ => []);
        var module = recipe.Modules is [var first] ? first : null;
        var slice = module?.Slices[0];
        return binder.Scope(slice?.Sources ?? recipe.Models, slice?.Parameters ?? RecipeParameters.None,
            module?.Parameters ?? RecipeParameters.None);
    }

    private static double T(string parameter, string tensor, double t) =>
        ((Options)Scope($"{Whole}parameters: {{weight: 1, t: {parameter}}}\n", out _).For(tensor, [tensor, tensor], t).Options).T;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.125, 0.25)]
    [InlineData(0.25, 0.5)]
    [InlineData(0.375, 0.4)]
    [InlineData(0.5, 0.3)]
    [InlineData(0.625, 0.5)]
    [InlineData(0.75, 0.7)]
    [InlineData(1, 1)]
    public void A_gradient_runs_in_straight_lines_between_its_values(double t, double expected) =>
        Assert.Equal(expected, T("[0, 0.5, 0.3, 0.7, 1]", "x", t), 12);

    [Fact]
    public void A_gradient_of_one_value_is_that_value() => Assert.Equal(0.4, T("[0.4]", "x", 0.7));

    // 40 layers, layer 13: t = 13/39 = 1/3; of 5 values at 4/3: 2/3 of 0.5 and 1/3 of 0.3.
    [Fact]
    public void The_published_gradient_gives_layer_13_of_40_what_the_hand_computes() =>
        Assert.Equal((2 * 0.5 / 3) + (0.3 / 3), T("[0, 0.5, 0.3, 0.7, 1]", "x", 13.0 / 39), 12);

    [Theory]
    [InlineData(0, Mode.Low)]
    [InlineData(0.9, Mode.Low)]
    [InlineData(1, Mode.High)]
    public void Values_without_a_between_change_in_steps(double t, Mode expected) => Assert.Equal(expected,
        ((Options)Scope($"{Whole}parameters: {{weight: 1, mode: [low, high]}}\n", out _).For("x", ["x", "x"], t).Options).Mode);

    [Theory]
    [InlineData("layers.0.self_attn.q", 0.1)]
    [InlineData("layers.0.mlp.up", 0.2)]
    [InlineData("layers.0.self_attn.mlp", 0.1)]
    [InlineData("embed", 0.5)]
    public void The_first_filter_that_is_part_of_the_name_wins(string tensor, double expected) => Assert.Equal(expected,
        T("[{filter: self_attn, value: 0.1}, {filter: mlp, value: [0.2, 0.9]}, {value: 0.5}]", tensor, 0));

    [Fact]
    public void A_star_matches_every_name() => Assert.Equal(3, T("[{filter: '*', value: 3}]", "x", 0));

    [Fact]
    public void What_no_filter_matches_falls_through_to_the_default() => Assert.Equal(-1, T("[{filter: mlp, value: 3}]", "x", 0));

    private const string Layered = """
        merge_method: m
        modules:
          text:
            slices:
              - sources:
                  - model: a
                    layer_range: [0, 2]
                    parameters:
                      weight:
                        - {filter: own, value: 1}
                  - model: a
                    layer_range: [2, 4]
                parameters:
                  weight: [{filter: slice, value: 2}, {filter: own, value: 9}]
            parameters:
              weight: [{filter: module, value: 3}, {filter: slice, value: 9}]
        parameters:
          weight: 4
        """;

    [Theory]
    [InlineData("own", 1, 10, 9, 14)]
    [InlineData("slice", 2, 14, 2, 14)]
    [InlineData("module", 3, 16, 3, 16)]
    [InlineData("other", 4, 18, 4, 18)]
    public void The_source_goes_before_the_slice_the_module_and_the_recipe(
        string tensor, double first, int firstLine, double second, int secondLine)
    {
        var values = Scope(Layered, out _).For(tensor, [tensor, tensor], 0)["weight"].Values;
        Assert.Equal([first, second], values.Select(v => (double)v.Value!));
        Assert.Equal([firstLine, secondLine], values.Select(v => v.Line!.Value));
    }

    [Fact]
    public void Filters_look_at_each_models_own_name_and_for_a_value_of_all_at_the_outputs()
    {
        var options = (Options)Scope($$"""
            {{Whole}}parameters:
              weight: [{filter: layers.3., value: 3}, {value: 1}]
              t: [{filter: layers.3., value: 3}, {value: 1}]
            """, out _).For("layers.3.x", ["layers.3.x", "layers.8.x"], 0).Options;
        Assert.Equal([3, 1], options.Weight.ToList(2));
        Assert.Equal(3, options.T);
    }

    [Fact]
    public void Tensors_of_the_same_values_share_their_options()
    {
        var scope = Scope($"{Whole}parameters: {{weight: [0, 1], t: [{{filter: mlp, value: 1}}, {{value: 0}}]}}\n", out _);
        var options = scope.For("l.mlp.a", ["l.mlp.a", "l.mlp.a"], 0.5).Options;
        Assert.Same(options, scope.For("l.mlp.b", ["l.mlp.b", "l.mlp.b"], 0.5).Options);
        Assert.NotSame(options, scope.For("l.mlp.b", ["l.mlp.b", "l.mlp.b"], 0.25).Options);
        Assert.NotSame(options, scope.For("l.attn", ["l.attn", "l.attn"], 0.5).Options);
    }

    [Fact]
    public void Every_wrong_value_of_every_gradient_and_filter_is_told_at_once() => Assert.Equal(
        ["r.yaml, line 6: 'weight[1]' is '11'", "r.yaml, line 7: 'weight' is 'x'", "r.yaml, line 8: 't[0]' is 'y'"],
        Expect.Errors(() => Binder($$"""
            {{Whole}}parameters:
              weight:
                - filter: a
                  value: [1, 11]
                - value: x
              t: [y, 0]
            """).ThrowIfAny()).Select(e => e.Split(';')[0]));

    [Fact]
    public void A_required_parameter_whose_filters_leave_a_tensor_is_told_once_with_the_tensor()
    {
        var scope = Scope("merge_method: m\nmodels:\n- a\nparameters:\n  weight: [{filter: mlp, value: 1}]\n", out var binder);
        scope.For("x", ["x"], 0);
        scope.For("y", ["y"], 0);
        Assert.Equal("r.yaml, line 3: m needs 'weight' for 'a'; none of its filters matches 'x'; expected a number in [-10, 10] " +
            "(weight w). End the list with a 'value' that has no filter.", Assert.Single(Expect.Errors(binder.ThrowIfAny)));
    }

    [Fact]
    public void A_filter_that_matches_nothing_is_a_warning()
    {
        var binder = Binder($"{Whole}parameters:\n  weight: 1\n  t: [{{filter: mpl, value: 1}}, {{filter: mlp, value: 1}}]\n");
        binder.CheckUse(["l.mlp.a"]);
        Assert.Equal("r.yaml, line 5: the filter 'mpl' matches no tensor", Assert.Single(binder.Warnings).ToString());
    }

    [Fact]
    public void A_value_behind_one_for_every_tensor_is_a_warning() => Assert.Contains("is never used",
        Assert.Single(Binder($"{Whole}parameters: {{weight: [{{value: 1}}, {{filter: x, value: 2}}]}}\n").Warnings).ToString());

    [Fact]
    public void A_side_file_that_depends_on_the_tensor_is_refused() => Assert.Contains("'file' depends on the tensor",
        Assert.Single(Expect.Errors(() => Binder($"{Whole}parameters: {{weight: 1, file: [a, b]}}\n").ThrowIfAny())));
}

using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Recipes;

public class OptionsBinderTests
{
    public enum Rescale
    {
        None,
        InverseDensity,
    }

    public sealed record Options
    {
        [Parameter("weight w", Bounds = "[-10, 10]")] public PerModel<double> Weight { get; init; } = 1;
        [Parameter("scale λ", Bounds = "(0, inf)")] public double Lambda { get; init; } = 1;
        [Parameter("steps", Bounds = "[1, 100]")] public int MaxIter { get; init; } = 10;
        [Parameter("big")] public long Big { get; init; }
        [Parameter("divide")] public bool Normalize { get; init; }
        [Parameter("how")] public Rescale Rescale { get; init; }
        [Parameter("limit")] public double? Limit { get; init; } = 3;
        [Parameter("names")] public PerModel<string?> Label { get; init; }
        [Parameter("list", Bounds = "[0, 9]")] public double[] Profile { get; init; } = [];
        [Parameter("lists")] public PerModel<int?[]?> Ranks { get; init; }
    }

    public sealed record Needy
    {
        [Parameter("decay β", Bounds = "[0, 1)", Required = true)] public double Beta { get; init; }
        [Parameter("loss L", Required = true)] public PerModel<double> Loss { get; init; }
    }

    public sealed record Refusing
    {
        [Parameter("x")] public double X { get => 0; init => throw new ArgumentException("odd"); }
    }

    public sealed record Few
    {
        [Parameter("scale α")] public double Alpha { get; init; } = 1.5;
        [Parameter("how")] public Rescale Rescale { get; init; } = Rescale.InverseDensity;
        [Parameter("decay β", Required = true)] public double Beta { get; init; }
    }

    private static readonly OptionsSchema Schema = OptionsSchema.Of(typeof(Options));

    private static (BoundOptions Options, IReadOnlyList<Diagnostic> Warnings) Bind(
        string text, OptionsSchema? schema = null, Func<Recipe, IEnumerable<RecipeModel>>? models = null)
    {
        var recipe = RecipeParser.Parse("r.yaml", text);
        var binder = new OptionsBinder(schema ?? Schema, recipe, recipe.Method,
            name => name == "density" ? ["ties", "della"] : name is "t" or "lamda" ? ["slerp"] : []);
        RecipeModel[] used = [.. models?.Invoke(recipe) ?? recipe.Models];
        var bound = binder.Scope(used, RecipeParameters.None, RecipeParameters.None)
            .For("x.mlp.w", [.. used.Select(_ => "x.mlp.w")], 0);
        binder.CheckUse(["x.mlp.w"]);
        binder.ThrowIfAny();
        return (bound, binder.Warnings);
    }

    private static (BoundOptions Options, IReadOnlyList<Diagnostic> Warnings) BindGlobal(string parameters) =>
        Bind($"merge_method: m\nmodels: [a, b]\nparameters:\n  {parameters}\n");

    private static string Error(string parameters) => Assert.Single(Expect.Errors(() => BindGlobal(parameters)));

    [Fact]
    public void Without_values_the_defaults_stand()
    {
        var (bound, warnings) = Bind("merge_method: m\nmodels: [a, b]\n");
        Assert.Equal(new Options { Profile = [] } with { Profile = null! }, (Options)bound.Options with { Profile = null! });
        Assert.All(bound.Parameters, p => Assert.All(p.Values, v => Assert.Null(v.Line)));
        Assert.Empty(warnings);
    }

    [Fact]
    public void A_models_own_value_goes_before_the_global_one()
    {
        var (bound, _) = Bind("""
            merge_method: m
            models:
              - a
              - model: b
                parameters:
                  weight: 0.25
            parameters:
              weight: 2
            """);
        var options = (Options)bound.Options;
        Assert.Equal([2, 0.25], options.Weight.ToList(2));
        Assert.Equal([8, 6], bound["weight"].Values.Select(v => v.Line!.Value));
        Assert.Throws<ArgumentOutOfRangeException>(() => options.Weight[2]);
    }

    [Fact]
    public void Values_of_every_type_arrive()
    {
        var options = (Options)BindGlobal("{lambda: 1e-13, max_iter: 20.0, big: 9007199254740993, normalize: yes, " +
            "rescale: inverse-density, limit: ~, label: '7', profile: [1, .5], ranks: [1, 2]}").Options.Options;
        Assert.Equal((1e-13, 20, 9007199254740993, true, Rescale.InverseDensity, null, "7"), (options.Lambda, options.MaxIter,
            options.Big, options.Normalize, options.Rescale, options.Limit, options.Label[1]));
        Assert.Equal([1, .5], options.Profile);
        Assert.Equal([1, 2], options.Ranks[0]!);
    }

    [Theory]
    [InlineData("lambda: 0", "r.yaml, line 4: 'lambda' is '0'; expected a number in (0, inf) (scale λ). Give more than 0, or leave it out: the default is 1.")]
    [InlineData("lambda: inf", "r.yaml, line 4: 'lambda' is 'inf'; expected a number in (0, inf) (scale λ). Give a finite number, or leave it out: the default is 1.")]
    [InlineData("weight: 11", "r.yaml, line 4: 'weight' is '11'; expected a number in [-10, 10] (weight w). Give at most 10, or leave it out: the default is 1.")]
    [InlineData("weight: heavy", "r.yaml, line 4: 'weight' is 'heavy'; expected a number in [-10, 10] (weight w)")]
    [InlineData("limit: .inf", "r.yaml, line 4: 'limit' is '.inf'; expected a number (limit). Give a finite number, or leave it out: the default is 3.")]
    [InlineData("lambda: '2'", "r.yaml, line 4: 'lambda' is '2'; expected a number in (0, inf) (scale λ). In quotes it is text: take them off.")]
    [InlineData("lambda:", "r.yaml, line 4: 'lambda' has no value; expected a number in (0, inf) (scale λ)")]
    [InlineData("max_iter: 1.5", "r.yaml, line 4: 'max_iter' is '1.5'; expected a whole number in [1, 100] (steps)")]
    [InlineData("max_iter: 101", "r.yaml, line 4: 'max_iter' is '101'; expected a whole number in [1, 100] (steps). Give at most 100, or leave it out: the default is 10.")]
    [InlineData("big: 9223372036854775808", "r.yaml, line 4: 'big' is '9223372036854775808'; expected a whole number (big)")]
    [InlineData("normalize: 2", "r.yaml, line 4: 'normalize' is '2'; expected true or false (divide)")]
    [InlineData("rescale: inverse_densty", "r.yaml, line 4: 'rescale' is 'inverse_densty'; expected one of none, inverse_density (how). Did you mean 'inverse_density'?")]
    [InlineData("profile: 3", "r.yaml, line 4: 'profile' is no list; expected a list, each a number in [0, 9] (list)")]
    [InlineData("profile: [1, 10]", "r.yaml, line 4: 'profile[1]' is '10'; expected a list, each a number in [0, 9] (list). Give at most 9.")]
    [InlineData("weight: []", "r.yaml, line 4: 'weight' is an empty list; expected a number in [-10, 10] (weight w)")]
    [InlineData("weight: [0, 11]", "r.yaml, line 4: 'weight[1]' is '11'; expected a number in [-10, 10] (weight w). Give at most 10, or leave it out: the default is 1.")]
    [InlineData("weight: [{filter: mlp, value: 12}]", "r.yaml, line 4: 'weight' is '12'; expected a number in [-10, 10] (weight w). Give at most 10, or leave it out: the default is 1.")]
    public void A_wrong_value_is_told_with_its_line(string parameter, string message) => Assert.Equal(message, Error(parameter));

    [Fact]
    public void An_unknown_parameter_is_told_with_the_nearest() => Assert.Equal(
        "r.yaml, line 4: m has no parameter 'normalise'; expected one of weight, lambda, max_iter, big, normalize, rescale, " +
        "limit, label, profile, ranks. Did you mean 'normalize'?", Error("normalise: true"));

    [Fact]
    public void The_only_parameter_there_is_stands_alone() => Assert.Equal(
        "r.yaml, line 4: m has no parameter 'exx'; expected x", Assert.Single(Expect.Errors(() =>
            Bind("merge_method: m\nmodels: [a]\nparameters:\n  exx: 1\n", OptionsSchema.Of(typeof(Refusing))))));

    [Theory]
    [InlineData("density: 0.5", "r.yaml, line 4: 'density' has no effect: m has no such parameter, ties, della have; expected weight, lambda, max_iter, big, normalize, rescale, limit, label, profile, ranks: what m has. Leave it out, or give one that the method has.")]
    [InlineData("t: [0, 1]", "r.yaml, line 4: 't' has no effect: m has no such parameter, slerp has; expected weight, lambda, max_iter, big, normalize, rescale, limit, label, profile, ranks: what m has. Leave it out, or give one that the method has.")]
    [InlineData("lamda: 0.5", "r.yaml, line 4: 'lamda' has no effect: m has no such parameter, slerp has; expected weight, lambda, max_iter, big, normalize, rescale, limit, label, profile, ranks: what m has. Did you mean 'lambda'?")]
    [InlineData("int8_mask: true", "r.yaml, line 4: 'int8_mask' has no effect here")]
    public void A_parameter_of_another_method_is_a_warning(string parameter, string message)
    {
        var warning = Assert.Single(BindGlobal(parameter).Warnings);
        Assert.Equal((Severity.Warning, message), (warning.Severity, warning.ToString()));
    }

    [Theory]
    [InlineData("", "slerp has; alpha = 1.5 and rescale = inverse_density, their defaults, are used; expected")]
    [InlineData(", rescale: none", "slerp has; alpha = 1.5, its default, is used; expected")]
    [InlineData(", rescale: none, alpha: 2", "slerp has; expected")]
    public void Where_few_are_left_out_the_warning_says_what_their_defaults_are(string given, string said) => Assert.Contains(
        said,
        Assert.Single(Bind(
            $"merge_method: m\nmodels: [a]\nparameters: {{t: 1, beta: 0.5{given}}}\n", OptionsSchema.Of(typeof(Few))).Warnings).ToString());

    [Fact]
    public void A_global_parameter_given_for_one_model_is_refused() => Assert.Equal(
        "r.yaml, line 2: 'lambda' is given for 'a' alone, and m has one value for all models. " +
        "Move it to the recipe's own 'parameters'.", Assert.Single(Expect.Errors(() =>
            Bind("merge_method: m\nmodels: [{model: a, parameters: {lambda: 1}}]\n"))));

    [Fact]
    public void Required_parameters_are_missed_for_each_model_by_name() => Assert.Equal(
        [
            "r.yaml, line 1: m needs 'beta'; expected a number in [0, 1) (decay β). Give it below 'parameters:' of the recipe.",
            "r.yaml, line 3: m needs 'loss' for 'a'; expected a number (loss L). Give it below 'parameters:' of the model or of the recipe.",
            "r.yaml, line 5: m needs 'loss' for 'c'; expected a number (loss L). Give it below 'parameters:' of the model or of the recipe.",
        ],
        Expect.Errors(() => Bind("merge_method: m\nmodels:\n- a\n- {model: b, parameters: {loss: 1}}\n- c\n", OptionsSchema.Of(typeof(Needy)))));

    [Fact]
    public void The_bases_own_parameters_have_no_effect_and_need_not_be_there()
    {
        var (bound, warnings) = Bind("merge_method: m\nparameters: {beta: .5}\nmodels:\n- {model: base, parameters: {loss: 9}}\n- {model: a, parameters: {loss: 1}}\n",
            OptionsSchema.Of(typeof(Needy)), recipe => recipe.Models.Skip(1));
        Assert.Equal([1], ((Needy)bound.Options).Loss.ToList(1));
        Assert.Equal("r.yaml, line 4: 'loss' of 'base' has no effect: it is the base model", Assert.Single(warnings).ToString());
    }

    [Fact]
    public void All_errors_are_told_at_once() =>
        Assert.Equal(3, Expect.Errors(() => BindGlobal("{lambda: -1, max_iter: x, wieght: 1}")).Count);

    [Fact]
    public void A_wrong_global_value_is_told_once_whatever_the_models() => Assert.Contains("'weight' is 'x'", Error("weight: x"));

    [Fact]
    public void A_record_that_refuses_a_value_is_its_authors_fault()
    {
        var (bound, _) = Bind("merge_method: m\nmodels: [a]\nparameters: {x: 1}\n", OptionsSchema.Of(typeof(Refusing)));
        var exception = Assert.Throws<MergeException>(() => bound.Options);
        Assert.Equal(Actor.PluginAuthor, Assert.Single(exception.Diagnostics).Actor);
        Assert.Contains("odd", exception.Message);
    }
}

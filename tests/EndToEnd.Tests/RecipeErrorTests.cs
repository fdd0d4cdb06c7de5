using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>A wrong recipe or command line: exit code 2, the place, the fix, and nothing written.</summary>
public sealed class RecipeErrorTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public RecipeErrorTests()
    {
        TinyCheckpoint.Write(_scratch["a"], TinyTensor.Of("F32", "w", [1], 1));
        TinyCheckpoint.Write(_scratch["b"], TinyTensor.Of("F32", "w", [1], 2));
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void An_unknown_method_names_the_nearest() =>
        Refuses(["no merge method 'liner'", "recipe.yaml, line 1", "'linear'"], _scratch.Recipe("liner", "a=1 b=1"));

    [Fact]
    public void An_unknown_parameter_names_the_nearest_and_what_lacks_is_told_at_once()
    {
        var recipe = _scratch.Write("recipe.yaml", """
            merge_method: linear
            models: [a, b]
            parameters:
              wieght: 1
              normalize: perhaps
            """);
        Refuses(
            [
                "no parameter 'wieght'", "line 4", "Did you mean 'weight'?",
                "'perhaps'", "line 5",
                "needs 'weight' for 'a'",
            ],
            recipe);
    }

    [Fact]
    public void An_unknown_key_names_the_nearest() =>
        Refuses(["'modles'", "line 2", "'models'"], _scratch.Write("r.yaml", "merge_method: linear\nmodles: [a, b]\n"));

    [Fact]
    public void A_parameter_out_of_range_tells_the_range()
    {
        var recipe = _scratch.Write("r.yaml", "merge_method: ema\nmodels: [a, b]\nparameters:\n  beta: 1.5\n");
        Refuses(["'beta' is '1.5'", "r.yaml, line 4", "[0, 1]", "Give at most 1"], recipe);
    }

    [Fact]
    public void A_method_without_its_base_is_refused() =>
        Refuses(["needs a base model", "line 1", "base_model:"], _scratch.Recipe("task_arithmetic", "a=1 b=1"));

    [Fact]
    public void A_missing_model_prints_the_command_that_downloads_it() => Refuses(
        ["'org/name@v1'", "recipe.yaml, line 5", "hf download org/name --revision v1", _scratch["org/name@v1"]],
        _scratch.Recipe("linear", "a=1 org/name@v1=1"));

    [Fact]
    public void A_mistyped_model_names_the_nearest()
    {
        TinyCheckpoint.Write(_scratch["models/wizard-7b"], TinyTensor.Of("F32", "w", [1], 1));
        Refuses(
            ["'models/wizzard-7b'", "line 5", "'models/wizard-7b'"],
            _scratch.Recipe("linear", "a=1 models/wizzard-7b=1"));
    }

    [Fact]
    public void A_pattern_that_matches_nothing_is_refused() => Refuses(
        ["'run/checkpoint-*' matches nothing", "r.yaml, line 2"],
        _scratch.Write("r.yaml", "merge_method: uniform\nmodels: run/checkpoint-*\n"));

    [Fact]
    public void A_missing_recipe_is_named() => Refuses(["no such recipe", "nowhere.yaml"], "nowhere.yaml");

    [Fact]
    public void A_folder_or_a_checkpoint_is_no_recipe()
    {
        Refuses(["is a folder", "a"], "a");
        Refuses(["a/model.safetensors"], "a/model.safetensors");
    }

    [Fact]
    public void Malformed_yaml_tells_the_line() => Refuses(
        ["not valid YAML", "r.yaml, line 4"],
        _scratch.Write("r.yaml", "merge_method: linear\nmodels:\n  - model: a\n   parameters: {weight: 1}\n"));

    [Theory]
    [InlineData("--threads 0", "--threads is '0'; expected a whole number from 1 to 1024")]
    [InlineData("--threads many", "--threads is 'many'")]
    [InlineData("--threads", "--threads")]
    [InlineData("--memory", "--memory")]
    [InlineData("--memory much", "'much' is no size")]
    [InlineData("--forse", "Did you mean '--force'?")]
    public void A_wrong_option_is_explained(string option, string words) =>
        _scratch.Refuses(2, [words], ["run", _scratch.Recipe("linear", "a=1 b=1"), "out", .. option.Split(' ')]);

    [Fact]
    public void A_missing_argument_and_an_unknown_verb_are_explained()
    {
        _scratch.Refuses(2, ["run", "merge run --help"], "run", _scratch.Recipe("linear", "a=1 b=1"));
        _scratch.Refuses(2, ["'rum'", "Did you mean 'run'?"], "rum");
    }

    [Fact]
    public void Validate_refuses_what_run_refuses() => _scratch.Refuses(
        2, ["no merge method 'liner'", "'linear'"], "validate", _scratch.Recipe("liner", "a=1 b=1"));

    private void Refuses(string[] words, string recipe) => _scratch.Refuses(2, words, "run", recipe, "out");
}

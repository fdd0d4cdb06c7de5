using Merge.Recipes;

namespace Host.Tests.Recipes;

public sealed class TrajectoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("merge-trajectory").FullName;

    public void Dispose() => Directory.Delete(_root, true);

    [Fact]
    public void Checkpoints_come_in_the_order_of_their_steps()
    {
        Make("run/checkpoint-500", "run/checkpoint-1000", "run/checkpoint-90", "run/other");
        Assert.Equal(["checkpoint-90", "checkpoint-500", "checkpoint-1000"], Expand("run/checkpoint-*"));
    }

    [Theory]
    [InlineData("step_100", "step_20", "step_3")]
    [InlineData("epoch=1-step=1000", "epoch=2-step=900", "epoch=3-step=80")]
    [InlineData("e3-12345678901234567890123", "e4-9223372036854775808", "e5-7")]
    [InlineData("s010.safetensors", "s9.safetensors", "s001.safetensors")]
    public void The_last_number_of_a_name_is_its_step(string newest, string middle, string oldest)
    {
        Make($"run/{newest}", $"run/{middle}", $"run/{oldest}");
        Assert.Equal([oldest, middle, newest], Expand("run/*"));
    }

    [Theory]
    [InlineData(null, null, "1 2 3 4 5 6 7")]
    [InlineData(3, null, "5 6 7")]
    [InlineData(null, 2, "1 3 5 7")]
    [InlineData(null, 3, "1 4 7")]
    [InlineData(null, 4, "3 7")]
    [InlineData(4, 2, "5 7")]
    [InlineData(100, 100, "7")]
    public void The_newest_always_stays(int? last, int? every, string steps)
    {
        Make([.. Enumerable.Range(1, 7).Select(i => $"run/c{i}")]);
        Assert.Equal(steps, string.Join(' ', Expand("run/c*", new(last, every)).Select(name => name[1..])));
    }

    [Fact]
    public void A_wildcard_may_stand_in_a_folder()
    {
        Make("run/step-20/hf", "run/step-3/hf", "run/step-7/raw");
        Assert.Equal(["step-3", "step-20"], ExpandPaths("run/step-*/hf").Select(p => Path.GetFileName(Path.GetDirectoryName(p)!)));
    }

    [Fact]
    public void The_first_place_that_has_matches_is_taken()
    {
        Make("dir/run/c1", "dir/run/c2");
        Assert.Equal(["c1", "c2"], Expand("run/c*"));
        Make("run/c3");
        Assert.Equal(["c3"], Expand("run/c*"));
    }

    [Fact]
    public void An_expanded_recipe_has_a_model_for_each_checkpoint()
    {
        Make("run/c1", "run/c2", "other");
        var recipe = RecipeParser.Parse("r.yaml",
            "merge_method: m\nmodels:\n- {model: run/c*, parameters: {weight: 3}}\n- other\n");
        var resolved = ResolvedRecipe.Of(recipe, Places);
        Assert.Equal(["c1", "c2", "other"], resolved.Models.Select(m => Path.GetFileName(m.Path)));
        Assert.Equal([true, true, false], resolved.Recipe.Models.Select(m => m.Parameters.Find("weight") is not null));
        Assert.Equal([3, 3, 4], resolved.Recipe.Models.Select(m => m.Model.Line));
    }

    [Fact]
    public void A_pattern_without_matches_lists_the_places() => Assert.Equal(
        $"r.yaml, line 4: 'run/c*' matches nothing; looked for {_root}/run/c*, {_root}/work/run/c*, {_root}/dir/run/c*", Error("run/c*"));

    [Fact]
    public void Two_checkpoints_of_one_step_are_refused_by_name()
    {
        Make("run/c-10", "run/c-010");
        var error = Error("run/c-*");
        Assert.Contains($"{_root}/run/c-10", error);
        Assert.Contains($"{_root}/run/c-010", error);
        Assert.Contains("both of step 10", error);
    }

    [Fact]
    public void A_match_without_a_number_is_refused_by_name()
    {
        Make("run/c-10", "run/c-best");
        Assert.StartsWith($"r.yaml, line 4: 'run/c-*' matches {_root}/run/c-best, whose name has no step", Error("run/c-*"));
    }

    private ModelPlaces Places => new(_root, Path.Combine(_root, "work"), [Path.Combine(_root, "dir")], Path.Combine(_root, "hub"), _root);

    private void Make(params string[] folders) => Array.ForEach(folders, f => Directory.CreateDirectory(Path.Combine(_root, f)));

    private IReadOnlyList<string> ExpandPaths(string pattern, TrajectoryWindow window = default) =>
        Trajectory.Expand(new(new(pattern, 4), RecipeParameters.None, window), Places, "r.yaml");

    private IEnumerable<string> Expand(string pattern, TrajectoryWindow window = default) =>
        ExpandPaths(pattern, window).Select(p => Path.GetFileName(p));

    private string Error(string pattern) => Assert.Single(Expect.Errors(() => ExpandPaths(pattern)));
}

using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>A recipe of several merges: order, resumption, what is kept, what is refused.</summary>
public sealed class StagesTests : IDisposable
{
    private const string Recipe = """
        merge_method: linear
        models:
          - {model: left, parameters: {weight: 0.25}}
          - {model: right, parameters: {weight: 0.75}}
        ---
        name: left
        merge_method: linear
        models: [a, b]
        parameters: {weight: 1}
        ---
        name: right
        merge_method: linear
        models: [b, c]
        parameters: {weight: 1}
        """;

    private const string Named = """
        name: second
        merge_method: linear
        models: [first, b]
        parameters: {weight: 1}
        ---
        name: first
        merge_method: linear
        models: [a]
        parameters: {weight: 1}
        """;

    private readonly Scratch _scratch = new();

    public StagesTests()
    {
        TinyCheckpoint.Write(_scratch["a"], TinyTensor.Of("F32", "w", [2], 0, 8));
        TinyCheckpoint.Write(_scratch["b"], TinyTensor.Of("F32", "w", [2], 4, 0));
        TinyCheckpoint.Write(_scratch["c"], TinyTensor.Of("F32", "w", [2], 8, 4));
        _scratch.Write("r.yaml", Recipe);
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Three_merges_run_in_order_and_leave_only_the_last()
    {
        var outcome = _scratch.Succeeds("run", "r.yaml", "out");
        // left = (2, 4), right = (6, 2).
        Assert.Equal([5.0, 2.5], Values("out"));
        Assert.False(Directory.Exists(_scratch["out.stages"]));
        Assert.Contains("merge 'left' (line 6)", outcome.Out);
        Assert.Equal(Recipe, File.ReadAllText(_scratch["out/merge_recipe.yaml"]));
        var card = File.ReadAllText(_scratch["out/README.md"]);
        Assert.Contains("- `left`: `linear` of `a`, `b`", card);
        Assert.Contains("name: right", card);
        var stages = System.Text.Json.JsonElement.Parse(File.ReadAllText(_scratch["out/merge_manifest.json"])).GetProperty("stages");
        Assert.Equal(["left", "right"], stages.EnumerateArray().Select(s => s.GetProperty("name").GetString()));
        Assert.Equal("b", stages[1].GetProperty("inputs")[0].GetProperty("model").GetString());
    }

    [Fact]
    public void What_an_earlier_run_made_is_taken_over_until_its_recipe_or_inputs_change()
    {
        _scratch.Succeeds("run", "r.yaml", "whole");
        _scratch.Succeeds("run", "r.yaml", "out", "--keep-stages");
        // As an interrupted run leaves it: one merge complete, one not there.
        Directory.Delete(_scratch["out"], recursive: true);
        Directory.Delete(_scratch["out.stages/right"], recursive: true);
        var made = File.GetLastWriteTimeUtc(_scratch["out.stages/left/model.safetensors"]);
        var again = _scratch.Succeeds("run", "r.yaml", "out", "--keep-stages", "--json").Json.GetProperty("stages");
        Assert.Equal([true, false, false], again.EnumerateArray().Select(s => s.GetProperty("reused").GetBoolean()));
        Assert.Equal(made, File.GetLastWriteTimeUtc(_scratch["out.stages/left/model.safetensors"]));
        Assert.Equal(File.ReadAllBytes(_scratch["whole/model.safetensors"]), File.ReadAllBytes(_scratch["out/model.safetensors"]));

        _scratch.Write("r.yaml", Recipe.Replace("models: [b, c]", "models: [c, c]"));
        var other = _scratch.Succeeds("run", "r.yaml", "out", "--keep-stages", "--force", "--json").Json.GetProperty("stages");
        Assert.Equal([true, false, false], other.EnumerateArray().Select(s => s.GetProperty("reused").GetBoolean()));
        Assert.Equal([6.5, 4], Values("out"));

        TinyCheckpoint.Write(_scratch["a"], TinyTensor.Of("F32", "w", [2], 4, 0));
        File.SetLastWriteTimeUtc(_scratch["a/model.safetensors"], made.AddHours(1));
        var changed = _scratch.Succeeds("run", "r.yaml", "out", "--force", "--json").Json.GetProperty("stages");
        Assert.Equal([false, true, false], changed.EnumerateArray().Select(s => s.GetProperty("reused").GetBoolean()));
        Assert.Equal([7.0, 3.0], Values("out"));
        Assert.False(Directory.Exists(_scratch["out.stages"]));
    }

    [Fact]
    public void It_gives_the_same_bytes_every_time_and_wherever()
    {
        _scratch.Succeeds("run", "r.yaml", "1/out", "--threads", "1");
        _scratch.Succeeds("run", "r.yaml", "2/out", "--threads", "4", "--keep-stages");
        FolderContent.AssertSame(_scratch["1/out"], _scratch["2/out"]);
        Assert.Equal([2.0, 4.0], Values("2/out.stages/left"));
    }

    [Fact]
    public void Without_an_unnamed_merge_all_are_kept_below_the_output()
    {
        _scratch.Write("named.yaml", Named);
        _scratch.Succeeds("run", "named.yaml", "out");
        Assert.Equal(["first", "second"], Directory.GetFileSystemEntries(_scratch["out"]).Select(Path.GetFileName).Order());
        Assert.Equal([2.0, 4.0], Values("out/second"));
        Assert.False(Directory.Exists(_scratch["out.stages"]));
        // What is embedded makes the same again.
        _scratch.Succeeds("run", "out/second/merge_recipe.yaml", "again", "--model-dir", ".");
        FolderContent.AssertSame(_scratch["out/second"], _scratch["again/second"]);
        Assert.Contains("the output folder exists", _scratch.Merge("run", "named.yaml", "out").Error);
        _scratch.Succeeds("run", "named.yaml", "out", "--force");
        _scratch.Write("out/notes.txt", "mine");
        Assert.Contains("was not made by a merge", _scratch.Merge("run", "named.yaml", "out", "--force").Error);
    }

    [Fact]
    public void Validate_and_dry_run_check_what_is_not_made_yet_and_write_nothing()
    {
        var before = FolderContent.Names(_scratch["."]);
        var valid = _scratch.Succeeds("validate", "r.yaml");
        Assert.Contains("model the merge left", valid.Out);
        Assert.Contains("checked when they run: disk space, memory, values", valid.Out);
        var plan = _scratch.Succeeds("run", "r.yaml", "--dry-run");
        Assert.Matches(@"weight +right +0\.75 +line 4", plan.Out);
        var json = _scratch.Succeeds("run", "r.yaml", "--dry-run", "--json").Json.GetProperty("stages");
        Assert.Equal(["left", "right", null], json.EnumerateArray().Select(s => s.GetProperty("name").GetString()));
        Assert.Equal(before, FolderContent.Names(_scratch["."]));
    }

    [Fact]
    public void A_shape_that_only_a_later_merge_cannot_use_is_told_before_the_first_runs()
    {
        TinyCheckpoint.Write(_scratch["long"], TinyTensor.Of("F32", "w", [3], 0, 8, 1));
        _scratch.Write("r.yaml", Recipe.Replace("models: [b, c]", "models: [long]"));
        Failure(1, ["its shape differs: [2] in 'left'", "[3] in 'right'"]);
    }

    [Fact]
    public void Every_merge_is_checked_and_one_that_uses_a_wrong_one_says_so()
    {
        _scratch.Write("r.yaml", Recipe.Replace("models: [a, b]", "models: [a, bb]").Replace("[b, c]\nparameters: {weight", "[b, c]\nparameters: {wieght"));
        Failure(2, ["model 'bb' is not found", "r.yaml, line 8", "no parameter 'wieght'", "line 13", "'left' is wrong itself"]);
    }

    [Fact]
    public void An_unknown_name_has_its_nearest()
    {
        _scratch.Write("r.yaml", Recipe.Replace("model: right", "model: rigth"));
        Failure(2, ["model 'rigth' is not found", "r.yaml, line 4", "Did you mean 'right'?"]);
    }

    [Fact]
    public void A_merge_goes_before_a_folder_of_its_name_and_says_so()
    {
        TinyCheckpoint.Write(_scratch["left"], TinyTensor.Of("F32", "w", [2], 100, 100));
        var outcome = _scratch.Succeeds("run", "r.yaml", "out");
        Assert.Contains("'left' is a merge of this recipe and", outcome.Error);
        Assert.Contains("the merge is taken", outcome.Error);
        Assert.Contains("r.yaml, line 3", outcome.Error);
        Assert.Equal([5.0, 2.5], Values("out"));
    }

    [Fact]
    public void An_output_that_exists_is_refused_before_anything_runs()
    {
        _scratch.Write("out/mine.txt", "");
        var outcome = _scratch.Merge("run", "r.yaml", "out");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("the output folder exists", outcome.Error);
        Assert.False(Directory.Exists(_scratch["out.stages"]));
    }

    [Fact]
    public void Folders_beside_the_output_that_no_merge_made_are_left_alone()
    {
        _scratch.Write("out.stages/left/mine.txt", "");
        _scratch.Write("out.stages/notes.txt", "");
        Assert.Contains("was not made by a merge", _scratch.Merge("run", "r.yaml", "out").Error);
        Directory.Delete(_scratch["out.stages/left"], recursive: true);
        _scratch.Succeeds("run", "r.yaml", "out");
        Assert.Equal(["notes.txt"], FolderContent.Names(_scratch["out.stages"]));
    }

    private void Failure(int exitCode, string[] words) => _scratch.Refuses(exitCode, words, "run", "r.yaml", "out");

    private double[] Values(string folder) => TinyCheckpoint.Read(_scratch[folder])["w"].Values;
}

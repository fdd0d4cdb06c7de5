using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>Output folders that cannot or must not be made.</summary>
public sealed class OutputErrorTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public OutputErrorTests()
    {
        TinyCheckpoint.Write(_scratch["a"], TinyTensor.Of("F32", "w", [1], 1));
        TinyCheckpoint.Write(_scratch["b"], TinyTensor.Of("F32", "w", [1], 2));
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void An_existing_output_is_left_alone_without_force()
    {
        var recipe = _scratch.Recipe("linear", "a=1 b=1");
        _scratch.Succeeds("run", recipe, "done");
        var before = File.ReadAllBytes(_scratch["done/model.safetensors"]);
        Refuses(2, ["exists", _scratch["done"], "--force"], "done", force: false);
        Assert.Equal(before, File.ReadAllBytes(_scratch["done/model.safetensors"]));
        Assert.False(Directory.Exists(_scratch["done.partial"]));
    }

    [Fact]
    public void Force_deletes_no_base_that_only_lends_its_config()
    {
        var recipe = _scratch.Recipe("linear", "a=1 b=1");
        _scratch.Succeeds("run", recipe, "lender");
        var before = File.ReadAllBytes(_scratch["lender/model.safetensors"]);
        _scratch.Refuses(
            2,
            ["holds an input of this merge", _scratch["lender"]],
            "run",
            _scratch.Recipe("linear", "a=1 b=1", "base_model: lender\n"),
            "lender",
            "--force");
        Assert.Equal(before, File.ReadAllBytes(_scratch["lender/model.safetensors"]));
    }

    [Theory]
    [InlineData("RECIPE", "run", "", "out")]
    [InlineData("OUT", "run", "recipe.yaml", "")]
    [InlineData("--model-dir", "run", "recipe.yaml", "out", "--model-dir", "")]
    [InlineData("CHECKPOINT", "inspect", "")]
    public void An_empty_path_is_wrong_usage(string named, params string[] arguments)
    {
        _scratch.Recipe("linear", "a=1 b=1");
        _scratch.Refuses(2, [named], arguments);
    }

    [Fact]
    public void Force_deletes_no_folder_that_no_merge_made()
    {
        var mine = _scratch.Write("mine/thesis.txt", "years of work");
        Refuses(2, ["not made by a merge", _scratch["mine"]], "mine");
        Assert.Equal("years of work", File.ReadAllText(mine));
    }

    [Theory]
    [InlineData("a")]
    [InlineData(".")]
    public void An_output_that_holds_an_input_is_refused_even_with_force(string output)
    {
        Refuses(2, ["holds an input", _scratch["a/model.safetensors"]], output);
        Assert.True(File.Exists(_scratch["a/model.safetensors"]));
    }

    [Theory]
    [InlineData("done", "link")]
    [InlineData("link", "done")]
    [InlineData("chain/link", "done")]
    public void An_output_that_holds_an_input_by_way_of_links_is_refused_even_with_force(string model, string output)
    {
        _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=1"), "done");
        Directory.CreateSymbolicLink(_scratch["link"], "done");
        Directory.CreateSymbolicLink(_scratch["chain"], ".");
        Refuses(2, ["holds an input"], output, $"{model}=1 b=1");
        Assert.True(File.Exists(_scratch["done/model.safetensors"]));
    }

    [Fact]
    public void A_file_in_the_way_is_left_alone()
    {
        var file = _scratch.Write("file", "mine");
        Refuses(2, ["a file stands", file], "file");
        Assert.Equal("mine", File.ReadAllText(file));
    }

    [Fact]
    public void A_place_that_cannot_be_written_is_named() => Refuses(1, ["/proc/merged", "may write"], "/proc/merged");

    [Fact]
    public void Too_little_room_is_found_before_anything_is_written()
    {
        // As large as a file may be on common file systems; being all holes, they take no room.
        foreach (var model in new[] { "a", "b" })
            TinyCheckpoint.WriteSparse(_scratch[model], "F32", 4_000_000_000_000 - 4096);
        Refuses(1, ["not enough disk space", "16 TB", "free", _scratch["out"]], "out", force: false);
    }

    private void Refuses(int exitCode, string[] words, string output, string models = "a=1 b=1", bool force = true) =>
        _scratch.Refuses(exitCode, words, ["run", _scratch.Recipe("linear", models), output, .. Force(force)]);

    private static string[] Force(bool force) => force ? ["--force"] : [];
}

using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>
/// What someone goes through who has nothing but the packages: install the templates, make a project of each, build and test it, put
/// it into merge and run it. Outside the repository, in a home of its own.
/// </summary>
[Collection(PackedSdk.Collection)]
public sealed class TemplateTests(PackedSdk sdk)
{
    [Fact]
    public void A_new_strategy_passes_its_tests_is_installed_and_merges()
    {
        var folder = sdk.New("merge-strategy", "MyMean");
        sdk.Dotnet(folder, "test", "-c", "Release", "-nodeReuse:false");
        TinyCheckpoint.Write(sdk.Scratch["base"], TinyTensor.Of("F32", "layers.0.w", [2], 1, 2));
        TinyCheckpoint.Write(sdk.Scratch["a"], TinyTensor.Of("F32", "layers.0.w", [2], 2, 2));
        TinyCheckpoint.Write(sdk.Scratch["b"], TinyTensor.Of("F32", "layers.0.w", [2], 4, 0));
        var output = Path.Combine(folder, "MyMean", "bin", "Release", "net10.0");
        Assert.False(File.Exists(Path.Combine(output, "Merge.Sdk.dll")), "the plugin ships the SDK");

        var recipe = sdk.Scratch.Recipe("my_mean", "a b", "base_model: base\n");
        sdk.Scratch.Succeeds("run", recipe, "by-path", "--plugin-path", output);
        Assert.Equal([3, 1], TinyCheckpoint.Read(sdk.Scratch["by-path"])["layers.0.w"].Values);
        sdk.Scratch.Refuses(
            2, ["it is the output of a program or a test project, and no plugin", $"Did you mean '{output}'?"],
            "plugins", "install", Path.Combine(folder, "MyMean.Tests", "bin", "Release", "net10.0"));

        var installed = sdk.Scratch.Succeeds("plugins", "install", output, "--json").Json;
        Assert.Equal("MyMean", installed.GetProperty("name").GetString());
        Assert.Contains("no sandbox", installed.GetProperty("notice").GetString());
        sdk.Scratch.Succeeds("run", recipe, "installed");
        Assert.Equal([3, 1], TinyCheckpoint.Read(sdk.Scratch["installed"])["layers.0.w"].Values);

        sdk.Scratch.Refuses(2, ["the method 'my_mean' comes from plugin MyMean", "MyMean is not pinned: `merge plugins trust MyMean`"], "run", recipe, "out", "--trusted-only");
        sdk.Scratch.Refuses(1, [installed.GetProperty("sha256").GetString()!], "plugins", "trust", "MyMean", "--sha256", "00");
        sdk.Scratch.Succeeds("plugins", "trust", "MyMean");
        sdk.Scratch.Succeeds("run", recipe, "trusted", "--trusted-only");
        Assert.Contains("MyMean is unchanged", sdk.Scratch.Succeeds("plugins", "verify").Out);
        sdk.Scratch.Succeeds("plugins", "remove", "MyMean");
        sdk.Scratch.Refuses(2, ["no merge method 'my_mean'"], "run", recipe, "out");
    }

    [Theory]
    [InlineData("merge-strategy", "TsvMerge", "Tsv", "TsvMerge")]
    [InlineData("merge-searcher", "HillSearcher", "Hill", "HillSearcher")]
    [InlineData("merge-evaluator", "tiny-evaluator", "Tiny", "TinyEvaluator")]
    [InlineData("merge-strategy", "my.iso-c", "My.IsoC", "MyIsoCMerge")]
    public void A_name_that_says_what_it_is_does_not_say_so_twice(string template, string name, string space, string type)
    {
        var folder = sdk.New(template, name);
        Assert.Contains($"namespace {space};", File.ReadAllText(Path.Combine(folder, name, type + ".cs")));
        Assert.Contains($"public sealed class {type} :", File.ReadAllText(Path.Combine(folder, name, type + ".cs")));
        sdk.Dotnet(folder, "build", "-nodeReuse:false");
    }

    [Fact]
    public void A_new_searcher_and_a_new_evaluator_pass_their_tests_and_search()
    {
        var searcher = sdk.New("merge-searcher", "Hill-Climb");
        var evaluator = sdk.New("merge-evaluator", "Small");
        sdk.Dotnet(searcher, "test", "-nodeReuse:false");
        sdk.Dotnet(evaluator, "test", "-nodeReuse:false");
        TinyCheckpoint.Write(sdk.Scratch["c"], TinyTensor.Of("F32", "layers.0.w", [2], 1, 2));
        TinyCheckpoint.Write(sdk.Scratch["d"], TinyTensor.Of("F32", "layers.0.w", [2], -1, 0));
        var recipe = sdk.Scratch.Recipe("linear", "c d", """
            search: {searcher: hill_climb, trials: 9}
            evaluate: {plugin: small}
            objective: {maximize: small}
            """);
        sdk.Scratch.Succeeds(
            "search", recipe, "found", "--plugins", Path.Combine(searcher, "Hill-Climb", "bin", "Debug", "net10.0"),
            "--plugins", Path.Combine(evaluator, "Small", "bin", "Debug", "net10.0"));
        Assert.True(Directory.Exists(sdk.Scratch["found/best"]));
    }
}

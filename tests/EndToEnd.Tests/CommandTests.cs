using System.Text.Json;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>The verbs beside the main job.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Version_is_a_version() => Assert.Matches(@"^\d+\.\d+\.\d+", _scratch.Succeeds("--version").Out);

    [Fact]
    public void Help_lists_every_verb_and_each_has_help_of_its_own()
    {
        var help = _scratch.Succeeds("--help").Out;
        Assert.Contains("merge run recipe.yml merged/", help);
        Assert.Contains("Exit codes: 0 done, 1 failed, 2 wrong command line or recipe", help);
        foreach (var verb in new[] { "run", "search", "soup", "trials", "validate", "inspect", "plugins", "explain", "demo", "completion" })
        {
            Assert.Matches($@"(?m)^  {verb}\b", help);
            var own = _scratch.Succeeds(verb, "--help");
            Assert.Contains($"merge {verb}", own.Out);
            Assert.Contains("--json", own.Out);
            Assert.Equal("", own.Error);
        }
    }

    [Fact]
    public void Explain_tells_formula_paper_and_parameters()
    {
        var text = _scratch.Succeeds("explain", "linear").Out;
        Assert.Contains("sum_i w_i theta_i / sum_i w_i", text);
        Assert.Contains("arXiv:2203.05482", text);
        Assert.Contains("normalize", text);
        var unknown = _scratch.Merge("explain", "liner");
        Assert.Equal(2, unknown.ExitCode);
        Assert.Contains("Did you mean 'linear'?", unknown.Error);
    }

    [Fact]
    public void No_arguments_show_the_help() => Assert.Contains("Commands:", _scratch.Succeeds().Out);

    [Fact]
    public void Completion_for_bash_is_a_script_that_completes()
    {
        var script = _scratch.Write("completion", _scratch.Succeeds("completion", "bash").Out);
        // As bash would at `merge val<Tab>`.
        var typed = $$"""
            merge() { '{{MergeProcess.Program}}' "$@"; }
            source '{{script}}'
            COMP_LINE='merge val' COMP_POINT=9 COMP_WORDS=(merge val) COMP_CWORD=1
            _merge
            echo "${COMPREPLY[@]}"
            """;
        using var bash = MergeProcess.Start("/bin/bash", _scratch["."], [], "-c", typed);
        Assert.Equal("validate\n", bash.Wait().Out);
    }

    [Fact]
    public void Validate_tells_what_a_run_would_do_and_writes_nothing()
    {
        Model("a", 1);
        Model("b", 2);
        var recipe = _scratch.Recipe("linear", "a=1 b=1");
        var outcome = _scratch.Succeeds("validate", recipe);
        Assert.EndsWith("valid\n", outcome.Out);
        var json = _scratch.Succeeds("validate", recipe, "--json").Json;
        Assert.Equal("linear", json.GetProperty("method").GetString());
        Assert.Equal(3, json.GetProperty("tensors").GetInt32());
        Assert.Equal(1, json.GetProperty("files_out").GetInt32());
        Assert.Equal(3, Directory.GetFileSystemEntries(_scratch["."]).Length);
    }

    [Fact]
    public void Inspect_lists_every_tensor()
    {
        Model("a", 1);
        var text = _scratch.Succeeds("inspect", "a").Out;
        Assert.Matches(@"(?m)^layers\.2\.w +BF16 +\[2, 3\] +12 bytes +weight +2$", text);
        Assert.Contains("3 tensors, 12 parameters in 2 layers", text);
        // As a person counts: 2 before 10.
        Assert.Matches(@"(?s)layers\.2\.w.*layers\.10\.w", text);
        var json = _scratch.Succeeds("inspect", "a", "--json").Json;
        Assert.Equal(12, json.GetProperty("parameters").GetInt64());
        var norm = json.GetProperty("tensors").EnumerateArray()
            .Single(t => t.GetProperty("name").GetString() == "norm.weight");
        Assert.Equal("F32", norm.GetProperty("dtype").GetString());
        Assert.Equal("norm", norm.GetProperty("kind").GetString());
        Assert.Equal(16, norm.GetProperty("bytes").GetInt64());
    }

    [Fact]
    public void Inspect_of_a_missing_checkpoint_is_an_error_of_its_own() =>
        _scratch.Refuses(2, ["'nowhere'", "command line"], "inspect", "nowhere");

    [Fact]
    public void Inspect_of_two_checkpoints_gives_norms_and_cosine()
    {
        var (a, b) = (TinyTensor.Pattern("BF16", "w", [300, 301], 1), TinyTensor.Pattern("F32", "w", [300, 301], 2));
        var same = TinyTensor.Of("F32", "same", [2], 3, 4);
        TinyCheckpoint.Write(
            _scratch["a"], a, same, TinyTensor.Of("F32", "only.a", [1], 1), TinyTensor.Of("F32", "shape", [2], 1, 2));
        TinyCheckpoint.Write(
            _scratch["b"], b, same, TinyTensor.Of("F32", "only.b", [1], 1), TinyTensor.Of("F32", "shape", [1], 1));
        var json = _scratch.Succeeds("inspect", "a", "b", "--json").Json;
        Assert.Equal(["only.a"], Names("only_a"));
        Assert.Equal(["only.b"], Names("only_b"));
        Assert.Equal(["shape"], Names("other_shape"));
        Assert.Equal(["w"], Names("other_dtype"));
        var (x, y) = (a.Values, b.Values);
        var (xx, yy, xy) = (x.Sum(v => v * v), y.Sum(v => v * v), x.Zip(y, (p, q) => p * q).Sum());
        Close(Math.Sqrt(xx), "w", "norm_a");
        Close(Math.Sqrt(yy), "w", "norm_b");
        Close(Math.Sqrt(xx + yy - (2 * xy)), "w", "norm_difference");
        Close(xy / Math.Sqrt(xx * yy), "w", "cosine");
        Close(5, "same", "norm_a");
        Close(0, "same", "norm_difference");
        Close(1, "same", "cosine");
        Assert.Contains(
            "2 tensors compared, 1 of them with the same values", _scratch.Succeeds("inspect", "a", "b").Out);

        string[] Names(string list) => [.. json.GetProperty(list).EnumerateArray().Select(n => n.GetString()!)];

        void Close(double expected, string tensor, string value) => Assert.Equal(
            expected,
            json.GetProperty("tensors").EnumerateArray().Single(t => t.GetProperty("name").GetString() == tensor)
                .GetProperty(value).GetDouble(),
            1e-9 * Math.Max(1, expected));
    }

    private void Model(string name, int seed) => TinyCheckpoint.Write(
        _scratch[name],
        TinyTensor.Pattern("BF16", "layers.10.w", [1, 2], seed),
        TinyTensor.Pattern("BF16", "layers.2.w", [2, 3], seed),
        TinyTensor.Pattern("F32", "norm.weight", [4], seed));
}

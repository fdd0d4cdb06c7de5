using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>Soups: which models stay, what is written, what is refused.</summary>
public sealed class SoupTests : IDisposable
{
    // The score is minus the distance of the first value from 4: of 1, 6, 20 the first two average best.
    private const string Near = """
        echo x >> calls
        v=$(tail -c 4 "$1/model.safetensors" | od -An -tf4 | tr -d ' ')
        s=$(echo "$v" | awk '{d = $1 - 4; if (d < 0) d = -d; print -d}')
        echo "{\"score\": $s}"
        """;

    private readonly Scratch _scratch = new();

    public SoupTests()
    {
        foreach (var (name, value) in new[] { ("one", 1.0), ("six", 6), ("twenty", 20) })
            TinyCheckpoint.Write(_scratch[name], TinyTensor.Of("F32", "w", [1], value));
        _scratch.Write("eval.sh", Near);
        _scratch.Write("r.yaml", """
            merge_method: uniform
            models: [one, twenty, six]
            evaluate: {command: [sh, eval.sh, "{candidate}"]}
            objective: {maximize: score}
            """);
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_greedy_soup_keeps_what_makes_it_better()
    {
        var outcome = _scratch.Succeeds("soup", "r.yaml", "out");
        // 6 (−2) comes first, with 1 it is 3.5 (−0.5), with 20 it would be 9.
        Assert.Matches(@"1 +six +-2 +-2 +yes", outcome.Out);
        Assert.Matches(@"2 +one +-3 +-0\.5 +yes", outcome.Out);
        Assert.Matches(@"3 +twenty +-16 +-5 +no", outcome.Out);
        Assert.Equal([3.5], TinyCheckpoint.Read(_scratch["out/best"])["w"].Values);
        Assert.Contains("<html", File.ReadAllText(_scratch["out/report.html"]));
        _scratch.Succeeds("run", "out/best.yaml", "again/best");
        FolderContent.AssertSame(_scratch["out/best"], _scratch["again/best"]);
    }

    [Fact]
    public void A_uniform_soup_is_the_average_of_all()
    {
        var json = _scratch.Succeeds("soup", "r.yaml", "out", "--uniform", "--json").Json;
        Assert.Equal([9.0], TinyCheckpoint.Read(_scratch["out/best"])["w"].Values);
        Assert.Equal(-5, json.GetProperty("best").GetProperty("selection").GetDouble());
        Assert.Equal(4, json.GetProperty("trials").GetInt32());
    }

    [Fact]
    public void Models_on_the_command_line_need_no_recipe()
    {
        _scratch.Succeeds("soup", "one", "six", "twenty", "out", "--evaluate", "sh eval.sh {candidate}", "--maximize", "score");
        Assert.Equal([3.5], TinyCheckpoint.Read(_scratch["out/best"])["w"].Values);
        var wrong = _scratch.Merge("soup", "one", "six", "out2");
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("nothing says how the models are scored", wrong.Error);
    }

    [Fact]
    public void It_goes_on_where_it_was_stopped_and_asks_nothing_twice()
    {
        _scratch.Succeeds("soup", "r.yaml", "out");
        var lines = File.ReadAllLines(_scratch["out/journal.jsonl"]);
        File.WriteAllText(_scratch["out/journal.jsonl"], string.Join('\n', lines[..3]) + "\n");
        var calls = File.ReadAllLines(_scratch["calls"]).Length;
        var outcome = _scratch.Succeeds("soup", "r.yaml", "out", "--resume");
        Assert.Contains("(2 from the journal)", outcome.Out);
        // Three models, two soups; what won, and the best and the uniform soup once more on the report split.
        Assert.Equal(calls, File.ReadAllLines(_scratch["calls"]).Length);
        Assert.Equal([3.5], TinyCheckpoint.Read(_scratch["out/best"])["w"].Values);
    }

    [Fact]
    public void Examples_that_cannot_be_compared_are_named_and_how_to_go_on_is_complete()
    {
        // Of single models three examples; of the averages two, or one that is NaN.
        const string Lists = "case $s in -2|-3|-16) e=\"$s, $s, $s\";; *) e=\"BROKEN\";; esac\n"
            + "echo \"{\\\"score\\\": $s, \\\"examples\\\": {\\\"score\\\": [$e]}}\"";
        foreach (var (broken, said) in new[] { ("1, 1", "2 examples of 'score'"), ("1, NaN, 1", "3 examples of 'score', 1 of them NaN") })
        {
            var folder = broken.Length.ToString();
            _scratch.Write("eval.sh", Near[..Near.LastIndexOf("echo", StringComparison.Ordinal)] + Lists.Replace("BROKEN", broken));
            var outcome = _scratch.Merge("soup", "one", "twenty", "six", folder, "--evaluate", "sh eval.sh {candidate}",
                "--maximize", "score", "--accept", "significant");
            Assert.Equal(2, outcome.ExitCode);
            Assert.DoesNotContain("no score per example", outcome.Error);
            Assert.Contains($"trial 2 has 3 examples of 'score'; trial 4 has {said}", outcome.Error);
            Assert.Contains($"merge soup one twenty six {folder} --evaluate 'sh eval.sh {{candidate}}' --maximize score --accept significant --resume",
                outcome.Error);
        }
    }

    [Fact]
    public void A_significant_gain_needs_scores_of_examples()
    {
        var outcome = _scratch.Merge("soup", "r.yaml", "out", "--accept", "significant");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("no score per example", outcome.Error);
        // Every example agrees, so the gain of 'one' is certain; a tie would not be.
        _scratch.Write("eval.sh", Near.Replace("{\\\"score\\\": $s}", "{\\\"score\\\": $s, \\\"examples\\\": {\\\"score\\\": [$s, $s, $s, $s]}}"));
        var gain = _scratch.Succeeds("soup", "r.yaml", "out2", "--accept", "significant");
        Assert.Matches(@"2 +one +-3 +-0\.5 +yes", gain.Out);
    }

    [Fact]
    public void Strictly_leaves_out_what_only_ties()
    {
        TinyCheckpoint.Write(_scratch["six-again"], TinyTensor.Of("F32", "w", [1], 6));
        _scratch.Write("r.yaml", File.ReadAllText(_scratch["r.yaml"]).Replace("[one, twenty, six]", "[six, six-again]"));
        Assert.Contains("2 of 2 models are in the soup", _scratch.Succeeds("soup", "r.yaml", "out").Out);
        Assert.Contains("1 of 2 models is in the soup", _scratch.Succeeds("soup", "r.yaml", "out2", "--accept", "strictly").Out);
    }

    [Fact]
    public void Its_trials_name_their_models_and_it_is_compared_with_the_uniform_soup()
    {
        _scratch.Write("eval.sh", Near.Replace("{\\\"score\\\": $s}", "{\\\"score\\\": $s, \\\"examples\\\": {\\\"score\\\": [$s, $s]}}"));
        var outcome = _scratch.Succeeds("soup", "r.yaml", "out");
        Assert.Contains("The result is better than the uniform soup: +4.5", outcome.Out);
        var trials = _scratch.Succeeds("trials", "out").Out;
        Assert.Matches(@"1 +0 +ok +-16 +-16 +\S+ +twenty\n", trials);
        Assert.Matches(@"ok +-0\.5 +-0\.5 +\S+ +one, six\n", trials);
        Assert.Matches(@"ok +-5 +-5 +\S+ +all\n", trials);
        Assert.Contains("What it came to:", trials);
        Assert.Contains("The result is better than the uniform soup", trials);
        Assert.Matches(@"weight\[2\] \(six\)", _scratch.Succeeds("trials", "out", "--compare", "0", "2").Out);
        Assert.Equal(["one", "twenty", "six"], _scratch.Succeeds("trials", "out", "--json").Json.GetProperty("models").EnumerateArray().Select(m => m.GetString()));
    }

    [Fact]
    public void One_model_alone_is_a_soup()
    {
        var outcome = _scratch.Succeeds("soup", "six", "out", "--evaluate", "sh eval.sh {candidate}", "--maximize", "score");
        Assert.Contains("1 of 1 model is in the soup", outcome.Out);
        Assert.DoesNotContain("two models", _scratch.Succeeds("soup", "--help").Out);
    }

    [Fact]
    public void A_method_without_weights_makes_no_soup()
    {
        _scratch.Write("r.yaml", File.ReadAllText(_scratch["r.yaml"]).Replace("uniform", "karcher"));
        var outcome = _scratch.Merge("soup", "r.yaml", "out");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("karcher gives its models no weights", outcome.Error);
    }
}

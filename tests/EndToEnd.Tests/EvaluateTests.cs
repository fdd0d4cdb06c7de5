using System.Text.Json;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary><c>merge evaluate</c>: models of every kind get their scores, and whoever fails is named.</summary>
public sealed class EvaluateTests : IDisposable
{
    private const string Command = "sh eval.sh {candidate} {split}";

    private readonly Scratch _scratch = new();

    public EvaluateTests()
    {
        TinyCheckpoint.Write(_scratch["one"], TinyTensor.Of("F32", "w", [1], 1));
        TinyCheckpoint.Write(_scratch["six"], TinyTensor.Of("F32", "w", [1], 6));
        // Four examples: the model's value is their score, but for the last.
        _scratch.Write("eval.sh", """
            v=$(tail -c 4 "$1/model.safetensors" | od -An -tf4 | tr -d ' ')
            echo "{\"score\": $v, \"split\": \"$2\", \"examples\": {\"score\": [$v, $v, $v, $v]}}"
            echo "{\"candidate\": \"$1\", \"split\": \"$2\"}" >> calls
            """);
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Models_are_scored_on_the_report_split_and_compared_with_the_first()
    {
        var outcome = _scratch.Succeeds("evaluate", "one", "six", "--evaluate", Command, "--maximize", "score");
        Assert.Matches(@"on 'report' +score +examples\n", outcome.Out);
        Assert.Matches(@"one +1 +4\nsix +6 +4\n", outcome.Out);
        Assert.Contains("'six' is better than 'one': +5 (95% interval +5 to +5, 4 examples)", outcome.Out);
        Assert.All(File.ReadAllLines(_scratch["calls"]), c => Assert.Contains("\"split\": \"report\"", c));
        var json = _scratch.Succeeds("evaluate", "one", "six", "--evaluate", Command, "--minimize", "score", "--split", "other", "--json").Json;
        Assert.Equal("other", json.GetProperty("split").GetString());
        Assert.Equal([-1.0, -6], json.GetProperty("models").EnumerateArray().Select(m => m.GetProperty("objective").GetDouble()));
        Assert.Equal([6.0, 6, 6, 6], json.GetProperty("models")[1].GetProperty("examples").GetProperty("score").EnumerateArray().Select(v => v.GetDouble()));
        var comparison = json.GetProperty("comparisons")[0];
        Assert.Equal(("worse", -5.0), (comparison.GetProperty("verdict").GetString(), comparison.GetProperty("mean").GetDouble()));
        // Without an objective nobody says which way is better.
        Assert.Contains("'six' has a higher 'score' than 'one'", _scratch.Succeeds("evaluate", "one", "six", "--evaluate", Command).Out);
        Assert.DoesNotContain("than", _scratch.Succeeds("evaluate", "one", "--evaluate", Command).Out);
    }

    [Fact]
    public void A_file_and_a_model_with_an_adapter_in_it_are_scored_as_the_folders_they_stand_for()
    {
        TinyCheckpoint.Write(_scratch["base"], TinyTensor.Pattern("F32", "layers.0.q_proj.weight", [4, 4], 1));
        Directory.CreateDirectory(_scratch["a"]);
        TinyCheckpoint.WriteFile(_scratch["a/adapter_model.safetensors"],
            TinyTensor.Pattern("F32", "base_model.model.layers.0.q_proj.lora_A.weight", [2, 4], 3),
            TinyTensor.Pattern("F32", "base_model.model.layers.0.q_proj.lora_B.weight", [4, 2], 4));
        _scratch.Write("a/adapter_config.json", JsonSerializer.Serialize(new { peft_type = "LORA", r = 2, lora_alpha = 2.0, target_modules = new[] { "q_proj" } }));
        _scratch.Succeeds("bake", "base+a", "baked");
        _scratch.Write("whole.sh", """
            for f in "$1"/*model.safetensors; do echo "{\"bytes\": $(tail -c 64 "$f" | cksum | cut -d' ' -f1)}"; done
            """);
        var json = _scratch.Succeeds("evaluate", "base", "base/model.safetensors", "base+a", "baked", "a", "--evaluate", "sh whole.sh {candidate}", "--json").Json;
        double[] bytes = [.. json.GetProperty("models").EnumerateArray().Select(m => m.GetProperty("metrics").GetProperty("bytes").GetDouble())];
        Assert.Equal(bytes[0], bytes[1]);
        Assert.Equal(bytes[2], bytes[3]);
        Assert.Equal(3, bytes.Distinct().Count());
    }

    [Fact]
    public void What_fails_is_told_with_the_last_lines_it_printed_and_the_rest_is_scored()
    {
        _scratch.Write("eval.sh", File.ReadAllText(_scratch["eval.sh"]) + """

            if [ "$v" = 6 ]; then echo 'loading the model' >&2; echo 'CUDA is out of memory' >&2; exit 3; fi
            rm -rf "$1"
            """);
        var outcome = _scratch.Merge("evaluate", "one", "six", "--evaluate", Command);
        Assert.Equal(1, outcome.ExitCode);
        Assert.Matches(@"one +1 +4\nsix +–", outcome.Out);
        // Once, though it was tried twice.
        Assert.Contains("on 'six':\n  loading the model\n  CUDA is out of memory\nerror", outcome.Error);
        Assert.Contains("error: 'six' has no score: the command ended with exit code 3: CUDA is out of memory", outcome.Error);
        var json = _scratch.Merge("evaluate", "one", "six", "--evaluate", Command, "--json");
        Assert.Equal(1, json.ExitCode);
        Assert.False(json.Json.GetProperty("ok").GetBoolean());
        Assert.Equal(1, json.Json.GetProperty("models")[0].GetProperty("metrics").GetProperty("score").GetDouble());
        Assert.Contains("CUDA", json.Json.GetProperty("errors")[0].GetProperty("found").GetString());
        // Evaluators get copies, which are theirs to remove, and nothing stays of them.
        Assert.True(File.Exists(_scratch["one/model.safetensors"]));
        var given = File.ReadAllLines(_scratch["calls"]).Select(c => JsonElement.Parse(c).GetProperty("candidate").GetString());
        Assert.All(given, folder => Assert.False(Directory.Exists(Path.GetDirectoryName(folder))));
    }

    [Fact]
    public void A_recipe_says_who_scores_on_which_split_and_what_counts()
    {
        _scratch.Write("r/r.yaml", """
            merge_method: linear
            models: [no-such-model]
            evaluate: {command: [sh, ../eval.sh, "{candidate}", "{split}"], timeout: 1m}
            objective: {maximize: score}
            splits: {selection: s, report: held-out}
            """);
        var outcome = _scratch.Succeeds("evaluate", "one", "six", "--recipe", "r/r.yaml");
        Assert.Matches("on 'held-out' +score", outcome.Out);
        Assert.Contains("'six' is better than 'one'", outcome.Out);
        Refused(["--maximize is given beside --recipe"], "one", "--recipe", "r/r.yaml", "--maximize", "score");
        Refused(["it has no 'evaluate:'", "recipe.yaml"], "one", "--recipe", _scratch.Recipe("uniform", "one six"));
    }

    [Fact]
    public void What_cannot_be_scored_is_refused_before_or_with_the_nearest_name()
    {
        Refused(["'on' is not found", "Did you mean 'one'?", "'sx' is not found", "Did you mean 'six'?", "the command line"], "on", "sx", "--evaluate", Command);
        Refused(["no metric 'scoer'; it gave score", "Did you mean 'score'?"], "one", "--evaluate", Command, "--maximize", "scoer");
        Refused(["no evaluator plugin 'digit'", "Did you mean 'digits'?"], "one", "--evaluate", "plugin:digit");
        Refused(["'timeout' is '1x'"], "one", "--evaluate", Command, "--timeout", "1x");
        Refused(["both --maximize and --minimize"], "one", "--evaluate", Command, "--maximize", "a", "--minimize", "a");
        Refused(["nothing says how the models are scored"], "one");
        Refused(["MODEL, what to score, is missing"], "--evaluate", Command);
        // A plugin sees tensors, and says itself what it cannot score.
        var outcome = _scratch.Merge("evaluate", "one", "--evaluate", "plugin:digits");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("'one' has no score: the candidate is no digits classifier", outcome.Error);
        Assert.Contains("no score within 0.2 s", _scratch.Merge("evaluate", "one", "--evaluate", "sleep 60", "--timeout", "200ms").Error);
    }

    [Fact]
    public void A_worker_scores_all_models_in_one_process()
    {
        _scratch.Write("worker.sh", """
            echo started >> starts
            while read -r line; do
              id=$(echo "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
              echo "{\"id\": \"$id\", \"score\": 2, \"examples\": [1, 3]}"
            done
            """);
        var outcome = _scratch.Succeeds("evaluate", "one", "six", "--evaluate", "worker:sh worker.sh");
        Assert.Single(File.ReadAllLines(_scratch["starts"]));
        Assert.Contains("'six' and 'one' score the same on every example by 'score'", outcome.Out);
    }

    private void Refused(string[] words, params string[] arguments)
    {
        var outcome = _scratch.Merge(["evaluate", .. arguments]);
        Assert.True(outcome.ExitCode == 2, outcome.ToString());
        Assert.All(words, word => Assert.Contains(word, outcome.Error));
    }
}

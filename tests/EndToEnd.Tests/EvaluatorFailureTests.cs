using System.Text.RegularExpressions;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>What an evaluation that goes wrong does to a search.</summary>
public sealed class EvaluatorFailureTests : IDisposable
{
    private readonly SearchLab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public void A_program_that_is_not_there_stops_it_before_the_first_trial()
    {
        _lab.Recipe();
        _lab.Scratch.Write("r.yaml", File.ReadAllText(_lab.Scratch["r.yaml"]).Replace("[sh,", "[no-such-program,"));
        _lab.Fails(2, ["no-such-program"]);
        // And nothing is in the way of the next attempt.
        _lab.Recipe();
        _lab.Succeeds();
    }

    [Fact]
    public void Rubbish_ends_it_after_ten_evaluations_in_a_row()
    {
        _lab.Evaluator("echo hello");
        _lab.Recipe();
        _lab.Fails(1, ["10 evaluations failed one after the other", "--resume"]);
        Assert.Equal(10, _lab.Trials().Length);
        Assert.Contains("hello", string.Concat(Directory.GetFiles(_lab.Scratch["out/logs"]).Select(File.ReadAllText)));
    }

    [Fact]
    public void One_that_dies_half_way_is_repaired_and_the_trials_are_those_of_a_sound_one()
    {
        _lab.Recipe();
        _lab.Succeeds();
        var sound = _lab.Trials();
        Directory.Delete(_lab.Scratch["out"], recursive: true);
        _lab.Evaluator("if [ -e broken ]; then echo 'the GPU is gone' >&2; exit 3; fi\n"
            + "echo x >> calls; if [ $(wc -l < calls) -ge 12 ]; then touch broken; fi\necho \"{\\\"score\\\": 0.$sum}\"");
        _lab.Fails(1, ["10 evaluations failed one after the other", "to go on"]);
        File.Delete(_lab.Scratch["broken"]);
        _lab.Evaluator("echo \"{\\\"score\\\": 0.$sum}\"");
        var outcome = _lab.Succeeds("--resume");
        Assert.Contains("are tried again", outcome.Error);
        Assert.Equal(sound, _lab.Trials());
    }

    [Fact]
    public void A_metric_of_another_name_is_repaired_although_its_scores_were_kept()
    {
        _lab.Evaluator("echo \"{\\\"$(cat name)\\\": 0.$sum}\"");
        _lab.Scratch.Write("name", "scoer");
        _lab.Recipe();
        _lab.Fails(1, ["no answer to the first 5 candidates has what the objective names", "no metric 'score'; it gave scoer", "to go on"]);
        Assert.Equal(5, _lab.Trials().Length);
        _lab.Scratch.Write("name", "score");
        _lab.Succeeds("--resume");
        Assert.Equal(24, _lab.Trials().Length);
        Assert.All(_lab.Lines(), t => Assert.Equal("ok", t.GetProperty("status").GetString()));
    }

    [Fact]
    public void One_that_removes_what_it_is_given_leaves_the_models_alone()
    {
        _lab.Evaluator("echo x > \"$1/results.json\"; rm -rf \"$1\"; echo \"{\\\"score\\\": 0.$sum}\"");
        _lab.Recipe();
        _lab.Succeeds();
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(
                ["config.json", "model.safetensors", "tokenizer.json"], FolderContent.Names(_lab.Scratch[$"m{i}"]));
        }
    }

    [Fact]
    public void One_that_writes_into_what_it_is_given_leaves_large_models_alone()
    {
        for (var i = 0; i < 4; i++)
        {
            TinyCheckpoint.WriteSparse(_lab.Scratch[$"m{i}"], "F32", 4_500_000);
            _lab.Scratch.Write($"m{i}/optimizer.pt", "of the training");
        }
        var before = Digests();
        _lab.Scratch.Write("eval.sh", """
            ls "$1" >> seen
            printf broken | dd of="$1/model.safetensors" conv=notrunc bs=1 seek=1000 2> errors || exit 1
            echo '{"score": 1}'
            """);
        _lab.Recipe(evaluate: ", retries: 0, workers: 2", trials: 4);
        Assert.DoesNotContain("no score", _lab.Succeeds().Out);
        Assert.Equal(before, Digests());
        Assert.DoesNotContain("optimizer.pt", File.ReadAllText(_lab.Scratch["seen"]));

        string[] Digests() =>
        [
            .. Enumerable.Range(0, 4).Select(i => Convert.ToHexString(
                System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(_lab.Scratch[$"m{i}/model.safetensors"])))),
        ];
    }

    [Fact]
    public void Single_models_that_fit_nowhere_are_not_scored_and_the_result_stands()
    {
        // The candidates are half as large: bfloat16.
        for (var i = 0; i < 4; i++)
            TinyCheckpoint.WriteSparse(_lab.Scratch[$"m{i}"], "F32", 100_000);
        _lab.Recipe(evaluate: ", candidates: {place: disk, quota: 300000B}", trials: 4);
        File.AppendAllText(_lab.Scratch["r.yaml"], "\ndtype: bfloat16\n");
        Assert.Contains("4 of 4 single models have no score", _lab.Succeeds().Out);
        Assert.True(Directory.Exists(_lab.Scratch["out/best"]));
    }

    [Fact]
    public void NaN_is_never_the_best()
    {
        _lab.Evaluator("if [ $(( $sum % 2 )) = 0 ]; then echo '{\"score\": NaN}'; else echo \"{\\\"score\\\": 0.$sum}\"; fi");
        _lab.Recipe();
        var outcome = _lab.Succeeds("--json").Json;
        var failed = _lab.Lines().Count(t => t.GetProperty("status").GetString() == "not_a_number");
        Assert.InRange(failed, 1, 23);
        Assert.Equal(failed, outcome.GetProperty("trials_failed").GetInt32());
        Assert.Equal("ok", _lab.Lines()[outcome.GetProperty("best").GetProperty("trial").GetInt32()].GetProperty("status").GetString());
    }

    [Fact]
    public void Nothing_but_NaN_leaves_no_best_model()
    {
        _lab.Evaluator("echo '{\"score\": NaN}'");
        _lab.Recipe();
        _lab.Fails(1, ["no trial has a score", "merge trials"]);
        Assert.False(Directory.Exists(_lab.Scratch["out/best"]));
        Assert.True(File.Exists(_lab.Scratch["out/report.html"]));
    }

    [Fact]
    public void One_that_hangs_is_stopped_and_the_trial_has_failed()
    {
        _lab.Evaluator("if [ $(( $sum % 3 )) = 0 ]; then sleep 600; fi\necho \"{\\\"score\\\": 0.$sum}\"");
        _lab.Recipe(search: ", ingredients: false", evaluate: ", timeout: 1s, workers: 8", trials: 8);
        var outcome = _lab.Succeeds("--json").Json;
        Assert.InRange(_lab.Lines().Count(t => t.GetProperty("status").GetString() == "timed_out"), 1, 7);
        Assert.True(outcome.GetProperty("best").GetProperty("selection").GetDouble() > 0);
    }

    [Fact]
    public void What_could_not_be_looked_at_once_more_is_said_and_the_result_stands()
    {
        _lab.Evaluator("if [ $2 = report ]; then echo x >> calls; echo 'no such split' >&2; exit 3; fi\necho \"{\\\"score\\\": 0.$sum}\"");
        _lab.Recipe(search: ", give_up_after: 2", evaluate: ", retries: 0");
        _lab.Scratch.Write("r.yaml", File.ReadAllText(_lab.Scratch["r.yaml"]).Replace("rescore: 3", "rescore: 20"));
        const string Said = "20 of the 20 best trials have no score on 'report'; the first: the command ended with exit code 3: no such split";
        var outcome = _lab.Succeeds();
        Assert.Contains(Said, outcome.Out);
        Assert.Contains("single model, the best one, has no score on 'report'", outcome.Out);
        Assert.True(Directory.Exists(_lab.Scratch["out/best"]));
        Assert.Contains("20 of the 20 best trials have no score", File.ReadAllText(_lab.Scratch["out/report.html"]));
        // Two in a row, what was under way when the second failed, and the single model.
        Assert.InRange(File.ReadAllLines(_lab.Scratch["calls"]).Length, 3, 5);
        var json = _lab.Succeeds("--resume", "--json").Json;
        Assert.Contains(Said, string.Join('\n', json.GetProperty("conclusions").EnumerateArray().Select(c => c.GetString())));
        Assert.Equal(20, json.GetProperty("rescored").GetArrayLength());
        Assert.All(json.GetProperty("rescored").EnumerateArray(), r => Assert.NotEmpty(r.GetProperty("error").GetString()!));
        // Repaired, it is looked at.
        _lab.Evaluator("echo \"{\\\"score\\\": 0.$sum}\"");
        Assert.DoesNotContain("no score", _lab.Succeeds("--resume").Out);
    }

    [Fact]
    public void A_split_that_picks_and_fails_stops_the_search()
    {
        _lab.Evaluator("if [ $2 = f ]; then exit 3; fi\necho \"{\\\"score\\\": 0.$sum}\"");
        _lab.Recipe(search: ", final: rescored");
        File.AppendAllText(_lab.Scratch["r.yaml"], "\nsplits: {selection: s, final: f, report: r}\n");
        _lab.Fails(1, ["best trials has a score on 'f', the split that picks the result", "'final: selection'", "to go on"]);
        _lab.Scratch.Write("r.yaml", File.ReadAllText(_lab.Scratch["r.yaml"]).Replace("final: rescored", "final: selection"));
        Assert.Contains("(24 from the journal)", _lab.Succeeds("--resume").Out);
    }

    [Theory]
    [InlineData("command: [sh, busy.sh, '{candidate}']")]
    [InlineData("worker: [sh, busy.sh]")]
    public void A_search_that_is_killed_takes_its_evaluators_along(string evaluator)
    {
        // Busy for long, deaf to the end of its input, with a program of its own.
        _lab.Scratch.Write("busy.sh", "sleep 300 &\necho $! >> ids\necho $$ >> ids\nwait\n");
        _lab.Recipe();
        _lab.Scratch.Write("r.yaml", Regex.Replace(File.ReadAllText(_lab.Scratch["r.yaml"]), @"command: \[[^]]*\]", evaluator));
        using var process = _lab.Scratch.Start("search", "r.yaml", "out");
        string[] ids = [];
        for (var waited = 0; ids.Length < 2; waited++)
        {
            Assert.True(waited < 6_000 && !process.HasExited, "no evaluator was started");
            Thread.Sleep(10);
            ids = File.Exists(_lab.Scratch["ids"]) ? File.ReadAllLines(_lab.Scratch["ids"]) : [];
        }
        Assert.All(ids, id => Assert.True(IsRunning(id)));
        process.Signal(9);
        process.Wait();
        for (var waited = 0; ids.Any(IsRunning); waited++)
        {
            Assert.True(waited < 6_000, "an evaluator goes on without its search");
            Thread.Sleep(10);
        }
    }

    [Fact]
    public void What_an_evaluator_leaves_running_stays_when_the_search_ends_by_itself()
    {
        _lab.Evaluator("""
            if [ ! -e daemon ]; then setsid sleep 300 > /dev/null 2>&1 < /dev/null & echo $! > daemon; fi
            for p in /proc/[0-9]*; do grep -qs guard-evaluators $p/cmdline && echo $p $(cat $p/comm) >> guards; done
            echo "{\"score\": 0.$sum}"
            """);
        _lab.Recipe(trials: 3);
        _lab.Succeeds();
        var daemon = File.ReadAllText(_lab.Scratch["daemon"]).Trim();
        try
        {
            var guards = File.ReadAllLines(_lab.Scratch["guards"]).Select(l => l.Split(' ')).ToArray();
            // Ended by name with the search, it could not clean up after it; at first it has not renamed itself yet.
            Assert.Contains(guards, g => g[1] == "eval-guard");
            var own = guards.Where(g => g[1] == "eval-guard").Select(g => Path.GetFileName(g[0])).ToHashSet();
            for (var waited = 0; own.Any(IsRunning) && waited < 500; waited++)
                Thread.Sleep(10);
            Assert.True(IsRunning(daemon), "the guard ended what was left running on purpose");
        }
        finally
        {
            if (IsRunning(daemon))
                System.Diagnostics.Process.GetProcessById(int.Parse(daemon)).Kill();
        }
    }

    // One that has ended and that nobody has asked for yet still has its number.
    private static bool IsRunning(string id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/stat").Split(')')[^1].Trim()[0] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Fact]
    public void A_method_that_refuses_the_recipe_is_told_once_and_no_evaluation_is_blamed()
    {
        _lab.Recipe();
        _lab.Scratch.Write("r.yaml", File.ReadAllText(_lab.Scratch["r.yaml"]).Replace("merge_method: linear", "merge_method: mwa")
            .Replace("[m0, m1, m2, m3]", "[{model: m0, parameters: {metric: 0}}, {model: m1, parameters: {metric: 1}}]")
            .Replace("search: {", "search: {space: [pf], "));
        _lab.Fails(2, ["'metric' of model 1 of 2 is 0", "kernel: penalty"]);
    }

    [Fact]
    public void A_quota_that_holds_no_candidate_is_told_before_anything_is_merged()
    {
        _lab.Recipe(evaluate: ", candidates: {place: disk, quota: 100B}");
        _lab.Fails(2, ["more than the quota of 100 bytes", "quota"]);
    }

    [Fact]
    public void Candidates_that_break_a_constraint_never_win()
    {
        _lab.Evaluator("echo \"{\\\"score\\\": 0.$sum, \\\"size\\\": $(( $sum % 10 ))}\"");
        _lab.Recipe(objective: "{maximize: score, constraints: {size: \"<= 4\"}}");
        var best = _lab.Succeeds("--json").Json.GetProperty("best").GetProperty("trial").GetInt32();
        var trials = _lab.Lines();
        Assert.Contains(trials, t => t.GetProperty("status").GetString() == "infeasible");
        Assert.InRange(trials[best].GetProperty("metrics").GetProperty("size").GetDouble(), 0, 4);
    }
}

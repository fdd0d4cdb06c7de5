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
        _lab.Fails(1, ["10 evaluations failed one after the other"]);
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
        Assert.Empty(Directory.GetDirectories(_lab.Scratch["out"], "*.links"));
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

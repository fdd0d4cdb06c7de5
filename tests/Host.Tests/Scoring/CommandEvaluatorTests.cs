using System.Diagnostics;
using Merge.Scoring;
using Merge.Sdk;

namespace Host.Tests.Scoring;

public sealed class CommandEvaluatorTests : IDisposable
{
    private const string Command = "{command: [sh, eval.sh, '{candidate}', '{split}'], retries: 0}";

    private readonly Lab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task The_last_json_line_holds_the_metrics_and_the_rest_is_passed_over()
    {
        _lab.Script("eval.sh", """
            echo loading; echo '{"accuracy": 0.1}'; echo '{not json}'
            echo "{\"accuracy\": 0.75, \"task\": {\"arc,none\": 0.5, \"name\": \"x\"}, \"examples\": [1, true, 1, 0]}"
            echo "{'bye': 1}"
            """);
        var score = await _lab.Score(_lab.Open(Command));
        Assert.Equal((ScoreStatus.Ok, 0.75), (score.Status, score.Objective));
        Assert.Equal(0.5, score.Metrics["task/arc,none"]);
        Assert.Equal(2, score.Metrics.Count);
        Assert.Equal([1, 1, 1, 0], score.Examples["accuracy"]);
        Assert.Null(score.Log);
    }

    [Fact]
    public async Task It_gets_a_complete_model_folder_the_split_and_its_workers_variables()
    {
        _lab.Script("eval.sh", """
            ls "$1" >&2; echo "$2 $MERGE_SPLIT $MERGE_TRIAL $MERGE_WORKER $GPU $(pwd)" >&2
            [ "$1" = "$MERGE_CANDIDATE" ] && echo '{"accuracy": 1}'
            """);
        var scorer = _lab.Open("{command: [sh, eval.sh, '{candidate}', '{split}'], environment: {GPU: 7}}");
        var score = await _lab.Score(scorer, "12", "dev");
        Assert.Equal(ScoreStatus.Ok, score.Status);
        Assert.Equal(Path.Combine(_lab.Folder, "logs", "12.dev.stderr"), score.Log);
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json", $"dev dev 12 0 7 {_lab[""].TrimEnd('/')}"],
            File.ReadAllLines(score.Log!));
    }

    [Fact]
    public async Task Workers_run_side_by_side_each_with_its_own_variables()
    {
        // Each waits for the other: one after the other, neither would end.
        _lab.Script("eval.sh", """
            touch "started.$GPU"
            while [ ! -e started.0 ] || [ ! -e started.1 ]; do sleep 0.01; done
            echo "{\"accuracy\": $GPU}"
            """);
        var scorer = _lab.Open("{command: [sh, eval.sh, '{candidate}'], workers: 2, environment: [{GPU: 0}, {GPU: 1}]}");
        var place = _lab.Place();
        var scores = await Task.WhenAll(_lab.Score(scorer, "a", place: place), _lab.Score(scorer, "b", place: place));
        Assert.Equal([0, 1], scores.Select(s => s.Objective!.Value).Order());
    }

    [Theory]
    [InlineData("nosuchprogram", "there is no program 'nosuchprogram' in PATH. Install it")]
    [InlineData("./nosuch.sh", "there is no program './nosuch.sh' (")]
    [InlineData("eval.sh", "there is no program 'eval.sh' in PATH. For the file beside the recipe write './eval.sh'.")]
    [InlineData("./eval.sh", "the evaluator './eval.sh' may not be executed (")]
    public void A_program_that_is_missing_is_told_before_anything_is_merged(string program, string message)
    {
        _lab.Script("eval.sh", "echo");
        var error = Assert.Throws<MergeException>(() => _lab.Open($"{{command: [{program}, '{{candidate}}']}}"));
        Assert.True(error.WrongUsage);
        Assert.StartsWith($"{_lab["r.yaml"]}, line 3: {message}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_hangs_is_ended_with_all_that_it_started()
    {
        _lab.Script("eval.sh", "sleep 600 & echo $! >child; wait");
        var score = await _lab.Score(_lab.Open("{command: [sh, eval.sh, '{candidate}'], timeout: 500ms, retries: 0}"));
        Assert.Equal((ScoreStatus.TimedOut, null, 1), (score.Status, score.Objective, score.Attempts));
        Assert.Equal("no score within 0.5 s", score.Error);
        await Gone(int.Parse(File.ReadAllText(_lab["child"])));
    }

    [Fact]
    public async Task One_that_leaves_something_running_does_not_keep_its_score_back()
    {
        _lab.Script("eval.sh", "sleep 600 & echo $! >child; echo '{\"accuracy\": 1}'");
        var score = await _lab.Score(_lab.Open(Command));
        using var left = Process.GetProcessById(int.Parse(File.ReadAllText(_lab["child"])));
        left.Kill();
        Assert.Equal(ScoreStatus.Ok, score.Status);
    }

    [Theory]
    [InlineData("echo hello", "the command printed no JSON object: hello")]
    [InlineData(":", "the command printed no JSON object: it printed nothing")]
    [InlineData("""echo '{"accuracy": 1}'; echo no CUDA device >&2; exit 3""", "the command ended with exit code 3: no CUDA device")]
    [InlineData("kill -9 $$", "the command was killed (signal 9; the system does so when memory runs out)")]
    [InlineData("""echo '{"error": "no such task"}'""", "the command says: no such task")]
    [InlineData("""echo '{"examples": [1, "a"]}'""", "the command says: example 1 of 'accuracy' is no number: \"a\"")]
    [InlineData("""echo '{"acuracy": 1, "loss": 2}'""",
        "the evaluator gave no metric 'accuracy'; it gave acuracy, loss. Did you mean 'acuracy'?")]
    public async Task One_that_fails_gives_a_failed_trial_with_the_reason(string script, string error)
    {
        _lab.Script("eval.sh", script);
        var score = await _lab.Score(_lab.Open(Command));
        Assert.Equal((ScoreStatus.Failed, null, error), (score.Status, score.Objective, score.Error));
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    [InlineData("null")]
    [InlineData("1e999")]
    public async Task A_metric_that_is_no_number_never_wins(string number)
    {
        _lab.Script("eval.sh", $$"""echo '{"loss": 1, "accuracy": {{number}}, "list": [NaN]}'""");
        var score = await _lab.Score(_lab.Open(Command));
        Assert.Equal((ScoreStatus.NotANumber, null), (score.Status, score.Objective));
        Assert.False(double.IsFinite(score.Metrics["accuracy"]));
    }

    [Fact]
    public async Task A_failed_attempt_is_repeated_and_both_are_kept()
    {
        _lab.Script("eval.sh", """
            echo "try" >&2
            if [ -e tried ]; then echo '{"accuracy": 1}'; else touch tried; exit 1; fi
            """);
        var score = await _lab.Score(_lab.Open("{command: [sh, eval.sh, '{candidate}'], retries: 2}"));
        Assert.Equal((ScoreStatus.Ok, 2), (score.Status, score.Attempts));
        Assert.Equal(["try", "", "[attempt 2]", "try"], File.ReadAllLines(score.Log!));
    }

    [Fact]
    public async Task However_much_it_prints_head_and_tail_are_kept()
    {
        _lab.Script("eval.sh", """
            echo first >&2; head -c 3000000 /dev/zero | tr '\0' x >&2; echo >&2; echo last >&2
            echo first; head -c 3000000 /dev/zero | tr '\0' x; echo; exit 1
            """);
        var score = await _lab.Score(_lab.Open(Command));
        var lines = File.ReadAllLines(score.Log!);
        Assert.Equal(("first", "last"), (lines[0], lines[^1]));
        Assert.Contains(lines, l => l.EndsWith("bytes are left out …]"));
        Assert.InRange(new FileInfo(score.Log!).Length, 256 << 10, 257 << 10);
        Assert.InRange(new FileInfo(Path.ChangeExtension(score.Log!, ".stdout")).Length, 1 << 10, 257 << 10);
    }

    [Fact]
    public async Task A_full_disk_stops_the_search_and_not_trial_after_trial()
    {
        _lab.Script("eval.sh", "echo no space left on device >&2; exit 1");
        using var lab = new Lab { Media = new Lab.Machine(1 << 30, 1000) };
        lab.Script("eval.sh", "echo no space left on device >&2; exit 1");
        var place = lab.Place(recipe: new(Merge.Recipes.CandidatesIn.Memory));
        var error = await Assert.ThrowsAsync<MergeException>(() => lab.Score(lab.Open(Command), place: place));
        Assert.Contains("the evaluator failed, and the disk is full (1 kB free): the command ended with exit code 1: no space left on device",
            error.Message, StringComparison.Ordinal);
        Assert.Equal(ScoreStatus.Failed, (await _lab.Score(_lab.Open(Command))).Status);
    }

    [Fact]
    public async Task A_search_that_stops_ends_the_program()
    {
        _lab.Script("eval.sh", "echo $$ >child; exec sleep 600");
        using var stop = new CancellationTokenSource();
        using var candidate = _lab.Make(_lab.Place());
        var scoring = _lab.Open(Command).Score(candidate, "selection", stop.Token);
        while (!File.Exists(_lab["child"]) || File.ReadAllText(_lab["child"]).Length == 0)
            await Task.Delay(5);
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scoring);
        await Gone(int.Parse(File.ReadAllText(_lab["child"])));
    }

    /// <summary>Fails where the process never ends.</summary>
    private static async Task Gone(int process)
    {
        var clock = Stopwatch.StartNew();
        while (IsRunning(process))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"process {process} still runs");
            await Task.Delay(10);
        }
    }

    // One that has ended and waits for its parent to look is a zombie: state Z.
    private static bool IsRunning(int process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ");
        }
        catch (IOException)
        {
            return false;
        }
    }
}

using Merge.Scoring;
using Merge.Sdk;

namespace Host.Tests.Scoring;

public sealed class ScoreCacheTests : IDisposable
{
    private const string Command = "{command: [sh, eval.sh, '{candidate}'], retries: 0}";

    private readonly Lab _lab = new();

    public ScoreCacheTests() => _lab.Script("eval.sh", """
        echo run >>runs; echo '{"accuracy": 0.5, "loss": NaN, "examples": [0, 1]}'
        """);

    public void Dispose() => _lab.Dispose();

    private int Runs => File.ReadAllLines(_lab["runs"]).Length;

    [Fact]
    public async Task What_is_known_is_not_asked_again_by_this_search_or_the_next()
    {
        var scorer = _lab.Open(Command);
        Assert.Null(scorer.Known("1", "selection"));
        var first = await _lab.Score(scorer);
        var again = await _lab.Score(scorer);
        scorer.Dispose();
        var next = _lab.Open(Command);
        var known = next.Known("1", "selection")!;
        Assert.Equal((false, true, true, 1), (first.IsCached, again.IsCached, known.IsCached, Runs));
        Assert.Equal((first.Objective, first.Seconds), (known.Objective, known.Seconds));
        Assert.Equal([0, 1], known.Examples["accuracy"]);
        Assert.True(double.IsNaN(known.Metrics["loss"]));
        Assert.Null(next.Known("1", "report"));
        Assert.Null(next.Known("2", "selection"));
    }

    [Fact]
    public async Task Another_objective_uses_the_same_scores()
    {
        using (var scorer = _lab.Open(Command))
            await _lab.Score(scorer);
        Assert.Equal(-0.5, _lab.Open(Command, "{minimize: accuracy}").Known("1", "selection")!.Objective);
    }

    [Fact]
    public async Task A_changed_script_or_variable_is_another_evaluator()
    {
        using (var scorer = _lab.Open(Command))
            await _lab.Score(scorer);
        using (var other = _lab.Open("{command: [sh, eval.sh, '{candidate}'], environment: {A: b}}"))
            Assert.Null(other.Known("1", "selection"));
        _lab.Script("eval.sh", "echo '{\"accuracy\": 0.6}'");
        Assert.Equal(0.6, (await _lab.Score(_lab.Open(Command))).Objective);
    }

    [Fact]
    public async Task Failures_are_not_kept()
    {
        _lab.Script("eval.sh", "echo run >>runs; exit 1");
        var scorer = _lab.Open(Command);
        await _lab.Score(scorer);
        await _lab.Score(scorer);
        Assert.Equal(2, Runs);
    }

    [Fact]
    public void A_line_that_was_cut_costs_that_line_alone()
    {
        var path = Path.Combine(_lab.Folder, "scores.jsonl");
        var score = new KnownScore(new Evaluation(new Dictionary<string, double> { ["a"] = 0.1 }), 2);
        using (var cache = ScoreCache.Open(path))
        {
            cache.Add("one", "c", "s", score);
            cache.Add("two", "c", "s", score);
        }
        using (var file = File.OpenWrite(path))
            file.SetLength(file.Length - 5);
        using (var cache = ScoreCache.Open(path))
        {
            Assert.Equal(0.1, cache.Find("one")!.Evaluation.Metrics["a"]);
            Assert.Null(cache.Find("two"));
            cache.Add("three", "c", "s", score);
        }
        using (var cache = ScoreCache.Open(path))
            Assert.Equal(2, cache.Find("three")!.Seconds);
    }

    [Fact]
    public void Two_searches_do_not_write_one_file()
    {
        using var scorer = _lab.Open(Command);
        var error = Assert.Throws<MergeException>(() => _lab.Open(Command));
        Assert.Contains("Another search may be using this folder", error.Message, StringComparison.Ordinal);
    }
}

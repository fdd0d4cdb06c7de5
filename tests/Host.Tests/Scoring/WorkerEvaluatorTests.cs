using Merge.Scoring;

namespace Host.Tests.Scoring;

public sealed class WorkerEvaluatorTests : IDisposable
{
    private const string Worker = "{worker: [sh, eval.sh], retries: 0}";

    // The id of a request is its first text.
    private const string Id = """id=$(echo "$line" | cut -d'"' -f4)""";

    private readonly Lab _lab = new();

    public void Dispose() => _lab.Dispose();

    private int Starts => File.ReadAllLines(_lab["starts"]).Length;

    [Fact]
    public async Task It_is_started_once_and_answers_line_by_line()
    {
        _lab.Script("eval.sh", $$$"""
            echo start >>starts
            while read -r line; do
              echo "$line" >>requests
              {{{Id}}}
              echo "{\"id\": \"$id\", \"accuracy\": 0.$id, \"examples\": {\"accuracy\": [1, 0]}}"
            done
            echo bye >ended
            """);
        var scorer = _lab.Open(Worker);
        var place = _lab.Place();
        Assert.Equal(0.1, (await _lab.Score(scorer, "1", place: place)).Objective);
        var second = await _lab.Score(scorer, "2", "report", place);
        Assert.Equal(0.2, second.Objective);
        Assert.Equal([1, 0], second.Examples["accuracy"]);
        Assert.Equal(1, Starts);
        var request = File.ReadAllLines(_lab["requests"])[1];
        Assert.StartsWith("{\"id\":\"2\",\"candidate\":\"" + _lab.Folder, request, StringComparison.Ordinal);
        Assert.EndsWith("\"split\":\"report\",\"values\":{\"weight\":0.5}}", request, StringComparison.Ordinal);
        scorer.Dispose();
        Assert.True(File.Exists(_lab["ended"]), "its input was not closed, or it was not waited for");
    }

    [Fact]
    public async Task One_that_dies_half_way_is_started_again_and_the_trial_repeated()
    {
        _lab.Script("eval.sh", $$"""
            echo start >>starts
            while read -r line; do
              if [ ! -e died ]; then touch died; echo out of memory >&2; exit 9; fi
              {{Id}}; echo "{\"id\": \"$id\", \"accuracy\": 1}"
            done
            """);
        var score = await _lab.Score(_lab.Open("{worker: [sh, eval.sh], retries: 1}"));
        Assert.Equal((ScoreStatus.Ok, 2, 2), (score.Status, score.Attempts, Starts));
        Assert.StartsWith("out of memory", File.ReadAllText(score.Log!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_dies_while_a_program_it_started_goes_on_is_noticed()
    {
        _lab.Script("eval.sh", $$"""
            echo start >>starts
            while read -r line; do
              if [ ! -e died ]; then touch died; sleep 60 & exit 9; fi
              {{Id}}; echo "{\"id\": \"$id\", \"accuracy\": 1}"
            done
            """);
        var score = await _lab.Score(_lab.Open("{worker: [sh, eval.sh], retries: 1}"));
        Assert.Equal((ScoreStatus.Ok, 2, 2), (score.Status, score.Attempts, Starts));
    }

    [Theory]
    [InlineData("exit 4", "the worker ended with exit code 4 before it answered")]
    [InlineData("echo half >&2; read -r line; kill -9 $$", "the worker was killed (signal 9; the system does so when memory runs out) before it answered: half")]
    [InlineData("read -r line; echo loading model; read -r line", "the worker answered with a line that is no JSON object: loading model. "
        + "Print answers to standard output and all else to standard error.")]
    [InlineData("""read -r line; echo '{"id": "99", "accuracy": 1}'; read -r line""",
        "the worker answered for '99' where it was asked for '1': {\"id\": \"99\", \"accuracy\": 1}. Print answers to standard output and all else to standard error.")]
    public async Task One_that_fails_gives_a_failed_trial_and_a_new_worker_for_the_next(string script, string error)
    {
        _lab.Script("eval.sh", "echo start >>starts\n" + script);
        var scorer = _lab.Open(Worker);
        var place = _lab.Place();
        var score = await _lab.Score(scorer, place: place);
        Assert.Equal((ScoreStatus.Failed, error), (score.Status, score.Error));
        await _lab.Score(scorer, "2", place: place);
        Assert.Equal(2, Starts);
    }

    [Fact]
    public async Task One_that_hangs_is_ended_and_the_trial_times_out()
    {
        _lab.Script("eval.sh", """
            echo start >>starts
            read -r line; exec sleep 600
            """);
        var score = await _lab.Score(_lab.Open("{worker: [sh, eval.sh], retries: 1, timeout: 300ms}"));
        Assert.Equal((ScoreStatus.TimedOut, 2, 2), (score.Status, score.Attempts, Starts));
    }

    [Fact]
    public async Task One_that_says_it_cannot_score_a_candidate_goes_on_with_the_next()
    {
        _lab.Script("eval.sh", """
            echo start >>starts
            while read -r line; do echo '{"error": "tokenizer is broken"}'; done
            """);
        var scorer = _lab.Open(Worker);
        var place = _lab.Place();
        Assert.Equal("the worker says: tokenizer is broken", (await _lab.Score(scorer, place: place)).Error);
        Assert.Equal("the worker says: tokenizer is broken", (await _lab.Score(scorer, "2", place: place)).Error);
        Assert.Equal(1, Starts);
    }
}

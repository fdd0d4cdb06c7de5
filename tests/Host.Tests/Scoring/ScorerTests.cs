using Merge.Scoring;
using Merge.Sdk;

namespace Host.Tests.Scoring;

public sealed class ScorerTests : IDisposable
{
    private readonly Lab _lab = new();

    public void Dispose() => _lab.Dispose();

    private Scorer Open(Func<StoredCandidate, CancellationToken, Task<Evaluation>> evaluate, string more = "")
    {
        var recipe = _lab.Recipe($"{{plugin: fake{more}}}");
        return Scorer.Open(recipe.Evaluate!, recipe.Objective!, new ScoringPlace(recipe.Path, _lab.Folder), new Runner(evaluate));
    }

    [Fact]
    public async Task Code_that_ignores_its_time_limit_keeps_its_candidate_and_nobody_waits_for_it()
    {
        using var go = new ManualResetEventSlim();
        var read = new TaskCompletionSource<float[]>();
        using var scorer = Open((candidate, _) =>
        {
            go.Wait(CancellationToken.None);
            read.SetResult(Lab.Read(candidate, "w"));
            throw new InvalidOperationException();
        }, ", timeout: 50ms");
        using var place = _lab.Place(needsFolder: false, new());
        using (var candidate = _lab.Make(place))
            Assert.Equal(ScoreStatus.TimedOut, (await scorer.Score(candidate, "selection", CancellationToken.None)).Status);
        using var next = _lab.Make(place, "2");
        next.Sink!.Write("w", 0, new byte[12]);
        go.Set();
        var values = await read.Task;
        Assert.Equal([1, 2, 3], values);
    }

    [Fact]
    public async Task Code_that_throws_fails_the_trial_alone()
    {
        using var scorer = Open((_, _) => throw new InvalidOperationException("bug"));
        var score = await _lab.Score(scorer);
        Assert.Equal((ScoreStatus.Failed, "bug"), (score.Status, score.Error));
    }

    [Fact]
    public async Task Measuring_again_asks_again_and_keeps_the_first_score()
    {
        var calls = 0.0;
        using var scorer = Open((_, _) => Task.FromResult(new Evaluation(new Dictionary<string, double> { ["accuracy"] = ++calls })));
        using var candidate = _lab.Make(_lab.Place(needsFolder: false, new()));
        Assert.Equal(1, (await scorer.Measure(candidate, "selection", CancellationToken.None)).Objective);
        Assert.Equal(2, (await scorer.Measure(candidate, "selection", CancellationToken.None)).Objective);
        Assert.Equal(1, scorer.Known("1", "selection")!.Objective);
    }

    [Fact]
    public async Task No_more_candidates_are_scored_at_once_than_there_are_workers()
    {
        var (running, most) = (0, 0);
        using var scorer = Open(async (_, cancellation) =>
        {
            var now = Interlocked.Increment(ref running);
            lock (_lab)
                most = Math.Max(most, now);
            await Task.Delay(20, cancellation);
            Interlocked.Decrement(ref running);
            return new(new Dictionary<string, double> { ["accuracy"] = 1 });
        }, ", workers: 2");
        var place = _lab.Place(needsFolder: false, new());
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => _lab.Score(scorer, $"{i}", place: place)));
        Assert.InRange(most, 1, 2);
    }

    private sealed class Runner(Func<StoredCandidate, CancellationToken, Task<Evaluation>> evaluate) : ITrialRunner
    {
        public string Identity => "fake";

        public Task<Evaluation> Run(StoredCandidate candidate, string split, int worker, TrialLog log, CancellationToken cancellation) =>
            evaluate(candidate, cancellation);

        public void Dispose()
        {
        }
    }
}

using System.Runtime.CompilerServices;
using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;
using Merge.Search;

namespace Host.Tests.Search;

/// <summary>The loop between searcher, journal and evaluation.</summary>
public sealed class SearchRunTests : IDisposable
{
    private static readonly SearchSpace Space = new([new SearchDimension("x", "x", 0, 1) { Minimum = 0 }], 1);
    private static readonly (string, string)[] Identity = [("objective", "{maximize: x}")];

    private static readonly Objective Objective = new(RecipeParser.Parse(
        "r.yaml", "merge_method: x\nmodels: [x]\nobjective: {maximize: x}\n").Objective!);

    private readonly string _folder = Directory.CreateTempSubdirectory("merge-journal-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_point_is_evaluated_once_and_told_as_often_as_it_is_asked_for()
    {
        var searcher = new Fixed([[0.5], [0.5], [-3]], [[0.5], [0.25]], [[0]]);
        var scorer = new Squares();
        var trials = await Run(searcher, scorer, 4);
        // −3 is moved to the nearest that may be: 0.
        Assert.Equal([[0.5], [0], [0.25]], trials.Select(t => t.Point));
        Assert.Equal(3, scorer.Evaluated);
        Assert.Equal([0.25, 0.25, 0], searcher.Told[0].Select(p => p.Score!.Value));
        Assert.Equal([0.25, 0.0625], searcher.Told[1].Select(p => p.Score!.Value));
        Assert.Equal([0.0], searcher.Told[2].Select(p => p.Score!.Value));
    }

    [Fact]
    public async Task A_searcher_that_repeats_itself_ends()
    {
        using var journal = TrialJournal.Open(_folder, Identity, ["x"], Objective);
        var book = new TrialBook(journal, new Squares(), "selection", 10, new());
        var run = new SearchRun(Space, new Fixed([[0.5]]), new(0), book, 10);
        await run.Run(CancellationToken.None);
        Assert.True(run.IsExhausted);
        Assert.Single(book.Trials);
    }

    [Fact]
    public async Task What_the_journal_knows_is_not_evaluated_again_and_comes_back_bit_for_bit()
    {
        double[][] generation = [[1.0 / 3], [0.1], [double.Epsilon]];
        var first = await Run(new Fixed(generation), new Squares(), 3);
        var scorer = new Squares();
        var again = await Run(new Fixed(generation, [[0.75]]), scorer, 4);
        Assert.Equal(1, scorer.Evaluated);
        Assert.Equal(first.Select(t => (t.Point[0], t.Objective)), again.Take(3).Select(t => (t.Point[0], t.Objective)));
    }

    [Fact]
    public async Task A_searcher_that_asks_for_something_else_than_the_journal_has_is_told()
    {
        await Run(new Fixed([[0.5], [0.25]]), new Squares(), 2);
        var stop = await Assert.ThrowsAsync<MergeException>(() => Run(new Fixed([[0.5], [0.3]]), new Squares(), 2));
        Assert.Contains("trial 1 of the journal is not the point", stop.Message);
        Assert.Contains("0.25", stop.Message);
    }

    [Fact]
    public async Task Points_that_are_none_are_the_searchers_fault()
    {
        foreach (var generation in new double[][][] { [], [[0.5, 0.5]], [[double.NaN]] })
        {
            var stop = await Assert.ThrowsAsync<MergeException>(() => Run(new Fixed(generation), new Squares(), 2));
            Assert.Equal(Actor.PluginAuthor, stop.Diagnostics[0].Actor);
        }
    }

    [Fact]
    public async Task Numbers_that_json_does_not_have_survive_the_journal()
    {
        await Run(new Fixed([[0.5]]), new Squares { Metric = double.NaN }, 1);
        using var journal = TrialJournal.Open(_folder, Identity, ["x"], Objective);
        Assert.Equal(double.NaN, journal.Trials[0].Score.Metrics["odd"]);
        Assert.Equal([0.5, double.PositiveInfinity], journal.Trials[0].Score.Examples["odd"]);
        Assert.Equal(["x"], TrialJournal.Read(_folder).Names);
    }

    [Fact]
    public async Task A_journal_keeps_who_must_act_and_the_models_names()
    {
        var failed = TrialScore.Without(ScoreStatus.Failed, "boom", 0) with { Actor = Actor.PluginAuthor };
        using (var journal = TrialJournal.Open(_folder, Identity, ["x"], Objective, "a", "b"))
            journal.Add([new(0, 0, [0.5], failed), new(1, 0, [0.25], failed with { Actor = Actor.User })]);
        var content = TrialJournal.Read(_folder);
        Assert.Equal([Actor.PluginAuthor, Actor.User], content.Trials.Select(t => t.Score.Actor));
        Assert.Equal(["a", "b"], content.Models);
        // One that an older version began.
        var path = Path.Combine(_folder, TrialJournal.FileName);
        File.WriteAllText(path, File.ReadAllText(path).Replace(",\"models\":[\"a\",\"b\"]", ""));
        Assert.Empty(TrialJournal.Read(_folder).Models);
        await Run(new Fixed([[0.5], [0.25]]), new Squares(), 2);
    }

    [Fact]
    public async Task A_score_that_is_not_that_of_its_metrics_is_refused_with_its_line()
    {
        await Run(new Fixed([[0.5], [0.25], [0.75]]), new Squares(), 3);
        var path = Path.Combine(_folder, TrialJournal.FileName);
        var journal = File.ReadAllText(path);
        foreach (var (from, to, said) in new[]
        {
            ("\"objective\":0.0625", "\"objective\":0.99", "it says 0.99"),
            ("\"x\":0.0625", "\"x\":0.99", "it says 0.0625"),
            ("\"objective\":0.0625,", "", "it says Ok"),
            ("\"status\":\"ok\",\"objective\":0.0625", "\"status\":\"failed\",\"error\":\"no luck\"", "it says no luck"),
        })
        {
            Assert.Contains(from, journal);
            File.WriteAllText(path, journal.Replace(from, to));
            foreach (var open in new Action[] { () => TrialJournal.Open(_folder, Identity, ["x"], Objective).Dispose(), () => TrialJournal.Read(_folder) })
            {
                var stop = Assert.Throws<MergeException>(open);
                Assert.Contains($"the score of trial 1 is not that of its metrics: {said}", stop.Message);
                Assert.Equal($"{path}, line 3", Assert.Single(stop.Diagnostics).Where);
            }
        }
        File.WriteAllText(path, journal);
        Assert.Equal(3, TrialJournal.Read(_folder).Trials.Count);
    }

    [Fact]
    public async Task A_trial_of_too_many_values_is_refused_with_its_line()
    {
        await Run(new Fixed([[0.5], [0.25], [0.75]]), new Squares(), 3);
        var path = Path.Combine(_folder, TrialJournal.FileName);
        File.WriteAllText(path, File.ReadAllText(path).Replace("[0.25]", "[0.25,1]"));
        var stop = Assert.Throws<MergeException>(() => TrialJournal.Read(_folder));
        Assert.Contains("trial 1 has 2 values, and 1 are searched", stop.Message);
        Assert.Equal($"{path}, line 3", stop.Diagnostics[0].Where);
    }

    [Fact]
    public void A_lock_that_cannot_be_made_is_not_taken_for_another_search()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        var stop = Assert.Throws<MergeException>(() => TrialJournal.Open(Path.Combine(file, "out"), Identity, ["x"], Objective));
        Assert.Contains("cannot be written", stop.Message);
        using var first = TrialJournal.Open(_folder, Identity, ["x"], Objective);
        Assert.Contains("another merge is at work", Assert.Throws<MergeException>(() => TrialJournal.Open(_folder, Identity, ["x"], Objective)).Message);
    }

    private async Task<IReadOnlyList<Trial>> Run(ISearcher searcher, Squares scorer, int trials)
    {
        using var journal = TrialJournal.Open(_folder, Identity, ["x"], Objective);
        var book = new TrialBook(journal, scorer, "selection", 10, new());
        await new SearchRun(Space, searcher, new(0), book, trials).Run(CancellationToken.None);
        return book.Trials;
    }

    /// <summary>Asks for the given generations, the last again and again.</summary>
    private sealed class Fixed(params double[][][] generations) : ISearcher
    {
        private int _next;

        public List<IReadOnlyList<ScoredPoint>> Told { get; } = [];

        public IReadOnlyList<double[]> Ask() => generations[Math.Min(_next++, generations.Length - 1)];

        public void Tell(IReadOnlyList<ScoredPoint> generation) => Told.Add(generation);
    }

    private sealed class Squares : IPointScorer
    {
        public int Evaluated { get; private set; }

        public double Metric { get; init; }

        public async IAsyncEnumerable<PointScore> Score(
            IReadOnlyList<PointToScore> points, string split, [EnumeratorCancellation] CancellationToken cancellation)
        {
            foreach (var point in points)
            {
                await Task.Yield();
                Evaluated++;
                var x = point.Point[0];
                yield return new(new(ScoreStatus.Ok, new Dictionary<string, double> { ["odd"] = Metric, ["x"] = x * x },
                    new Dictionary<string, IReadOnlyList<double>> { ["odd"] = [0.5, double.PositiveInfinity] }, x * x, 0), 0);
            }
        }
    }
}

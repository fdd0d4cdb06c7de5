using Merge.Plugin.Lcsc;
using Merge.Sdk;

namespace Plugins.Tests.Search;

public sealed class LcscSearcherTests
{
    private static readonly LcscSearcher _lcsc = new();

    [Fact]
    public void First_generation_begins_with_the_profiles()
    {
        var options = new LcscSearchOptions { Betas = [0.5], Population = 4, TopK = 2 };
        var asked = _lcsc.Start(Landscapes.Of(3, -1, 1), options).Ask();
        Assert.Equal(4, asked.Count);
        // K = 4 checkpoints, of which the first is derived: uniform, EMA of ½, the newest alone; then a point around.
        Assert.Equal([0.25, 0.25, 0.25], asked[0]);
        Assert.Equal([0.125, 0.25, 0.5], asked[1]);
        Assert.Equal([0, 0, 1], asked[2]);
        Assert.NotEqual(asked[0], asked[3]);
    }

    [Fact]
    public void Profiles_set_every_group_of_a_parameter_over_the_models_and_nothing_else()
    {
        SearchDimension[] dimensions =
        [
            new("lambda", "lambda", 0, 3),
            .. from g in new[] { "layers 0-1", "layers 2-3" }
               from m in Enumerable.Range(0, 3)
               select new SearchDimension($"weight[{m}]/{g}", "weight", 0, 1) { Model = m, Group = g },
        ];
        var asked = _lcsc.Start(
            new SearchSpace(dimensions, 3), new LcscSearchOptions { Betas = [0.5], Population = 3, TopK = 2 }).Ask();
        Assert.Equal([1.5, .. Enumerable.Repeat(1 / 3.0, 6)], asked[0]);
        Assert.Equal([1.5, 0.25, 0.25, 0.5, 0.25, 0.25, 0.5], asked[1]);
        Assert.Equal([1.5, 0, 0, 1, 0, 0, 1], asked[2]);
    }

    [Fact]
    public void A_profile_is_moved_to_what_the_strategy_takes()
    {
        var space = Landscapes.Of(2, 0.2, 0.9);
        space = space with { Dimensions = [.. space.Dimensions.Select(d => d with { Minimum = 0.1 })] };
        Assert.Contains(
            _lcsc.Start(space, new LcscSearchOptions()).Ask(), p => p.SequenceEqual([0.1, 1]));
    }

    [Fact]
    public void No_point_is_asked_for_twice()
    {
        foreach (var space in new[] { Landscapes.Of(1, -1, 1), Landscapes.Of(2, -1, 1), Landscapes.Space, Whole(20) })
        {
            var trials = SearchRun.Run(_lcsc.Start(space, new LcscSearchOptions()), 390, x => -x.Sum(Math.Abs));
            Assert.Equal(trials.Count, trials.Select(t => string.Join(' ', t.Point)).Distinct().Count());
        }
    }

    [Fact]
    public void A_space_that_is_used_up_is_searched_to_its_last_point()
    {
        var trials = SearchRun.Run(_lcsc.Start(Whole(5), new LcscSearchOptions()), 60, x => x[0] - x[1]);
        Assert.Equal(25, trials.Select(t => (t.Point[0], t.Point[1])).Distinct().Count());
        Assert.Equal([4, 0], trials[^1].Point);
    }

    [Fact]
    public void The_best_are_kept_whatever_comes_later()
    {
        // Only the newest checkpoint alone scores: all children must come from it.
        var options = new LcscSearchOptions { MutationSize = 1e-6, SmallestMutation = 0, TopK = 1 };
        var searcher = _lcsc.Start(Landscapes.Of(3, -1, 1), options);
        var first = searcher.Ask();
        searcher.Tell([.. first.Select(p => new ScoredPoint(p, p.SequenceEqual([0, 0, 1]) ? 1 : 0))]);
        for (var generation = 0; generation < 5; generation++)
        {
            var children = searcher.Ask();
            Assert.Equal(
                options.Offspring, children.Count(c => Math.Abs(c[0]) + Math.Abs(c[1]) + Math.Abs(c[2] - 1) < 1e-4));
            searcher.Tell([.. children.Select(p => new ScoredPoint(p, 0))]);
        }
    }

    [Fact]
    public void Mutations_shrink_with_every_generation_that_finds_nothing_better()
    {
        var options = new LcscSearchOptions
        {
            Population = 10,
            Offspring = 200,
            TopK = 1,
            MutationRate = 1,
            MutationSize = 0.2,
            MutationDecay = 0.5,
        };
        var searcher = _lcsc.Start(Landscapes.Space, options);
        searcher.Tell([.. searcher.Ask().Select((p, i) => new ScoredPoint(p, -i))]);
        var sizes = new List<double>();
        for (var generation = 0; generation < 3; generation++)
        {
            var children = searcher.Ask();
            // From the start point, in ranges of length 2.
            sizes.Add(Math.Sqrt(children.SelectMany(c => c).Average(v => Math.Pow((v - (1 / 21.0)) / 2, 2))));
            searcher.Tell([.. children.Select(p => new ScoredPoint(p, -100))]);
        }
        Assert.Equal(0.2, sizes[0], 0.01);
        Assert.Equal(0.1, sizes[1], 0.005);
        Assert.Equal(0.05, sizes[2], 0.0025);
    }

    [Fact]
    public void Mutations_keep_their_size_while_better_points_are_found()
    {
        var options = new LcscSearchOptions
        {
            Population = 10,
            Offspring = 200,
            TopK = 1,
            MutationRate = 1,
            MutationSize = 0.2,
            MutationDecay = 0.5,
        };
        var searcher = _lcsc.Start(Landscapes.Space, options);
        var best = searcher.Ask()[0];
        searcher.Tell([new ScoredPoint(best, 0)]);
        for (var generation = 1; generation < 4; generation++)
        {
            var children = searcher.Ask();
            var size = Math.Sqrt(children.Average(c => c.Zip(best, (v, b) => (v - b) * (v - b) / 4).Average()));
            Assert.Equal(0.2, size, 0.01);
            best = children[0];
            searcher.Tell([new ScoredPoint(best, generation)]);
        }
    }

    [Fact]
    public void More_parents_than_survivors_are_refused()
    {
        var error = Assert.Throws<MergeException>(() =>
            _lcsc.Start(Landscapes.Space, new LcscSearchOptions { Population = 4, TopK = 5 }));
        Assert.True(error.WrongUsage);
        Assert.Contains("'top_k' is 5, more than the 'population' of 4", error.Message);
    }

    private static SearchSpace Whole(int values) => new(
        [
            .. new[] { "a", "b" }.Select(n =>
                new SearchDimension(n, n, 0, values - 1) { IsInteger = true, Minimum = 0, Maximum = values - 1 }),
        ],
        1);
}

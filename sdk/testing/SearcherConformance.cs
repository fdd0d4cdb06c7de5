using Merge.Sdk;
using Merge.Testing.Rules;

namespace Merge.Testing;

/// <summary>Runs and checks a searcher outside the host.</summary>
public static class SearcherConformance
{
    private const ConformanceRule Order = ConformanceRule.Determinism;

    /// <summary>Every point that was asked for until there are <paramref name="trials"/>, with its score, in order.</summary>
    /// <param name="factory">The searcher.</param>
    /// <param name="options">Its options record.</param>
    /// <param name="space">What it may choose.</param>
    /// <param name="score">Higher is better; null: the trial failed.</param>
    /// <param name="trials">When to stop; the last generation is whole.</param>
    /// <param name="seed">Of its random numbers.</param>
    public static IReadOnlyList<ScoredPoint> Run(
        SearcherFactory factory, object options, SearchSpace space, Func<IReadOnlyList<double>, double?> score,
        int trials = 200, ulong seed = 1)
    {
        var searcher = factory.StartWith(space, options, new SearchRandom(seed));
        var all = new List<ScoredPoint>();
        while (all.Count < trials)
        {
            var asked = searcher.Ask();
            if (asked.Count == 0)
                throw Fault(ConformanceRule.Options, "Ask returns no point", "what Ask does when its plan is done: it goes on");
            if (asked.FirstOrDefault(p => p.Length != space.Dimensions.Count || !p.All(double.IsFinite)) is { } odd)
            {
                throw Fault(ConformanceRule.NotANumber, $"Ask returns [{string.Join(", ", odd)}] for {space.Dimensions.Count} "
                    + "dimensions", "steps that grow without end, statistics of failed trials");
            }
            ScoredPoint[] generation = [.. asked.Select(p => space.Nearest(p)).Select(p => new ScoredPoint(p, score(p)))];
            searcher.Tell(generation);
            all.AddRange(generation);
        }
        return all;

        ConformanceException Fault(ConformanceRule rule, string found, string lookAt) =>
            new($"'{factory.Info.Id}' ({factory.GetType().Name})", [new(rule, found, lookAt)]);
    }

    /// <summary>
    /// Checks that a searcher asks the same under one seed and the same scores (an interrupted search is continued so),
    /// goes on after failed trials, takes spaces of one and of many dimensions, and asks no clock.
    /// </summary>
    /// <exception cref="ConformanceException">It does not.</exception>
    public static void Check(SearcherFactory factory, object options)
    {
        var findings = new List<ConformanceFinding>(Unmarked.In(options.GetType()));
        foreach (var count in (int[])[1, 5])
        {
            var space = new SearchSpace(
                [.. Enumerable.Range(1, count).Select(i => new SearchDimension($"weight[{i}]", "weight", -1, 1) { Model = i })],
                count + 1);
            if (!Same(Run(factory, options, space, Hill), Run(factory, options, space, Hill)))
            {
                findings.Add(new(Order, $"two searches in {count} dimensions ask different points under one seed and the same "
                    + "scores", "sources of randomness beside the SearchRandom, enumeration of hash sets, statics"));
            }
            Run(factory, options, space, _ => null);
            Run(factory, options, space, p => p[0] > 0 ? null : Hill(p));
        }
        findings.AddRange(StateRule.Calls(ReachableCode.WithMade(factory.GetType())).Select(found =>
            new ConformanceFinding(ConformanceRule.State, found, "the SearchRandom that Start is given: nothing else is random")));
        if (findings.Count > 0)
            throw new ConformanceException($"'{factory.Info.Id}' ({factory.GetType().Name})", findings);
    }

    private static double? Hill(IReadOnlyList<double> point) => -point.Sum(x => (x - 0.3) * (x - 0.3));

    private static bool Same(IReadOnlyList<ScoredPoint> a, IReadOnlyList<ScoredPoint> b) =>
        a.Count == b.Count && a.Zip(b).All(p => p.First.Point.SequenceEqual(p.Second.Point));
}

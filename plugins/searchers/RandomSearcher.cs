using Merge.Sdk;

namespace Merge.Plugin.Searchers;

/// <summary>The options of <c>random</c>.</summary>
public sealed record RandomSearchOptions
{
    /// <summary>Points of a generation: they are merged in one pass.</summary>
    [Parameter("Points of a generation", Bounds = "[1, 10000]")]
    public int Population { get; init; } = 20;
}

/// <summary>Points drawn evenly from the range (on its scale); the first is the recipe's own.</summary>
public sealed class RandomSearcher : SearcherFactory<RandomSearchOptions>
{
    /// <inheritdoc/>
    public override SearcherInfo Info => new(
        "random", "Random search", Text: "the recipe's own values, then points drawn evenly from the range");

    /// <inheritdoc/>
    protected override ISearcher Start(SearchSpace space, RandomSearchOptions options, SearchRandom random) =>
        new RandomSearch(space, options.Population, random);
}

internal sealed class RandomSearch(SearchSpace space, int population, SearchRandom random) : ISearcher
{
    private bool _begun;

    public IReadOnlyList<double[]> Ask()
    {
        double[][] drawn =
        [
            .. Enumerable.Range(0, population - (_begun ? 0 : 1)).Select(_ => (double[])
                [.. space.Dimensions.Select(d => d.At(random.Uniform()))]),
        ];
        IReadOnlyList<double[]> points = _begun ? drawn : [space.Start(), .. drawn];
        _begun = true;
        return points;
    }

    public void Tell(IReadOnlyList<ScoredPoint> generation)
    {
        // What is drawn does not depend on what was found.
    }
}

using Merge.Sdk;

namespace Merge.Plugin.Lcsc;

/// <summary>
/// The options of the searcher <c>lcsc</c>. Lengths are in units of a dimension's range: 0.1 of a range from −1 to 1 is a
/// step of 0.2.
/// </summary>
public sealed record LcscSearchOptions
{
    /// <summary>μ: as many of the best points live on.</summary>
    [Parameter("mu, points of the first generation, and how many of the best live on", Bounds = "[2, 10000]")]
    public int Population { get; init; } = 20;

    /// <summary>λ.</summary>
    [Parameter("lambda, points of each later generation", Bounds = "[1, 10000]")]
    public int Offspring { get; init; } = 20;

    /// <summary>How many of the best are parents.</summary>
    [Parameter("Parents are drawn from this many of the best", Bounds = "[1, 10000]")]
    public int TopK { get; init; } = 5;

    /// <summary>β of the first generation's moving averages.</summary>
    [Parameter("beta of each moving average in the first generation", Bounds = "[0, 1]")]
    public double[] Betas { get; init; } = [0.5, 0.7, 0.8, 0.9, 0.95];

    /// <summary>Standard deviation of what is added to a profile for the rest of the first generation.</summary>
    [Parameter("Standard deviation of the first generation around its profiles, in ranges", Bounds = "(0, inf)")]
    public double InitialSize { get; init; } = 0.05;

    /// <summary>Probability that a gene is the first parent's.</summary>
    [Parameter("Probability that a gene is the first parent's, else the second's", Bounds = "[0, 1]")]
    public double Crossover { get; init; } = 0.5;

    /// <summary>Probability that a gene is mutated.</summary>
    [Parameter("Probability that a gene is mutated", Bounds = "(0, 1]")]
    public double MutationRate { get; init; } = 0.5;

    /// <summary>Standard deviation of a gene's mutation at first.</summary>
    [Parameter("Standard deviation of a gene's mutation at first, in ranges", Bounds = "(0, inf)")]
    public double MutationSize { get; init; } = 0.05;

    /// <summary>What a generation without a better point multiplies the mutation's size by.</summary>
    [Parameter("What a generation that finds nothing better multiplies the mutation's size by", Bounds = "(0, 1]")]
    public double MutationDecay { get; init; } = 0.8;

    /// <summary>Where the decay ends.</summary>
    [Parameter("Smallest standard deviation of a mutation, in ranges", Bounds = "[0, inf)")]
    public double SmallestMutation { get; init; } = 1e-3;
}

/// <summary>The evolutionary search of LCSC (arXiv:2404.02241), for any space.</summary>
public sealed class LcscSearcher : SearcherFactory<LcscSearchOptions>
{
    /// <inheritdoc/>
    public override SearcherInfo Info => new(
        "lcsc", "LCSC's evolutionary search", "arXiv:2404.02241",
        "moving averages first, then crossover and shrinking mutation of the best");

    /// <inheritdoc/>
    protected override ISearcher Start(SearchSpace space, LcscSearchOptions options, SearchRandom random) =>
        options.TopK <= options.Population
            ? new Evolution(space, options, random)
            : throw new MergeException(new Diagnostic(
                $"'top_k' is {options.TopK}, more than the 'population' of {options.Population}")
            {
                Expected = $"at most {options.Population}",
            })
            { WrongUsage = true };
}

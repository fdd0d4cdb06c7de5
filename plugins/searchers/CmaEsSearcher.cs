using Merge.Sdk;

namespace Merge.Plugin.Searchers;

/// <summary>What a restart does with the population.</summary>
public enum Restarts
{
    /// <summary>There are none: a search that stalls goes on as it is.</summary>
    None,
    /// <summary>It stays.</summary>
    Same,
    /// <summary>It doubles each time: IPOP (Auger and Hansen, CEC 2005).</summary>
    Doubled,
}

/// <summary>The options of <c>cma-es</c>.</summary>
public sealed record CmaEsOptions
{
    /// <summary>λ.</summary>
    [Parameter("lambda, points of a generation; absent: 4 + floor(3 ln n)", Bounds = "[2, 10000]")]
    public int? Population { get; init; }

    /// <summary>σ_0, in units of a dimension's range.</summary>
    [Parameter("sigma_0, the first standard deviation, in ranges", Bounds = "(0, inf)")]
    public double Sigma { get; init; } = 0.15;

    /// <summary>What happens once a search stalls.</summary>
    [Parameter("Once it stalls, begin anew elsewhere with a population that is doubled (IPOP) or the same")]
    public Restarts Restarts { get; init; } = Restarts.Doubled;
}

/// <summary>CMA-ES as Hansen's tutorial has it (arXiv:1604.00772), in units of each dimension's range.</summary>
public sealed class CmaEsSearcher : SearcherFactory<CmaEsOptions>
{
    /// <inheritdoc/>
    public override SearcherInfo Info => new(
        "cma-es", "CMA-ES", "arXiv:1604.00772", "a normal distribution that learns directions and step size");

    /// <inheritdoc/>
    protected override ISearcher Start(SearchSpace space, CmaEsOptions options, SearchRandom random) =>
        new CmaEs(space, options, random);
}

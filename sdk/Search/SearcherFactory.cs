namespace Merge.Sdk;

/// <summary>How a searcher presents itself.</summary>
/// <param name="Id">Its name in a recipe (<c>search: {searcher: …}</c>): lower case, digits, <c>_</c> or <c>-</c>.</param>
/// <param name="Name">Its name in print.</param>
/// <param name="Paper">Where it comes from, for example <c>arXiv:1604.00772</c>.</param>
/// <param name="Text">One line: how it searches.</param>
public sealed record SearcherInfo(string Id, string Name, string? Paper = null, string? Text = null);

/// <summary>A searcher a plugin offers. Derive from <see cref="SearcherFactory{TOptions}"/>.</summary>
public abstract class SearcherFactory
{
    private protected SearcherFactory()
    {
    }

    /// <summary>How the searcher presents itself.</summary>
    public abstract SearcherInfo Info { get; }

    internal abstract Type OptionsType { get; }

    internal abstract ISearcher StartWith(SearchSpace space, object options, SearchRandom random);
}

/// <summary>A searcher a plugin offers.</summary>
/// <typeparam name="TOptions">A record whose properties carry <see cref="ParameterAttribute"/>; none per model.</typeparam>
public abstract class SearcherFactory<TOptions> : SearcherFactory
    where TOptions : class, new()
{
    internal sealed override Type OptionsType => typeof(TOptions);

    /// <summary>Begins a search.</summary>
    /// <param name="space">What may be chosen.</param>
    /// <param name="options">Final.</param>
    /// <param name="random">The only source of randomness.</param>
    protected abstract ISearcher Start(SearchSpace space, TOptions options, SearchRandom random);

    internal sealed override ISearcher StartWith(SearchSpace space, object options, SearchRandom random) =>
        Start(space, (TOptions)options, random);
}

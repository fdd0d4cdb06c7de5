using Merge.Plugin.Lcsc;
using Merge.Plugin.Searchers;
using Merge.Sdk;

namespace Plugins.Tests.Search;

/// <summary>Every searcher with its options as they are by default.</summary>
internal static class Searchers
{
    public static TheoryData<string> Ids => ["lcsc", "cma-es", "random"];

    public static ISearcher Start(string id, SearchSpace space, ulong seed = 1)
    {
        var (factory, options) = Find(id);
        return factory.Start(space, options, seed);
    }

    public static (SearcherFactory Factory, object Options) Find(string id) => id switch
    {
        "lcsc" => (new LcscSearcher(), new LcscSearchOptions()),
        "cma-es" => (new CmaEsSearcher(), new CmaEsOptions()),
        _ => (new RandomSearcher(), new RandomSearchOptions()),
    };
}

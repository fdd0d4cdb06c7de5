using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>A searcher that can be used.</summary>
/// <param name="Info">Asked of the factory once, and checked.</param>
/// <param name="Searcher">The only instance of the factory.</param>
/// <param name="Plugin">Where it comes from.</param>
internal sealed record SearcherEntry(SearcherInfo Info, SearcherFactory Searcher, PluginStatus Plugin)
{
    public string Id => Info.Id;
}

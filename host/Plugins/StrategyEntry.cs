using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>A merge method that can be used.</summary>
/// <param name="Info">Asked of the strategy once, and checked.</param>
/// <param name="Strategy">The only instance; it keeps no state.</param>
/// <param name="Plugin">Where it comes from.</param>
internal sealed record StrategyEntry(StrategyInfo Info, MergeStrategy Strategy, PluginStatus Plugin)
{
    public string Id => Info.Id;
}

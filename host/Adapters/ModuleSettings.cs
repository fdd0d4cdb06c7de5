namespace Merge.Adapters;

/// <summary>What says a module's rank and scale.</summary>
/// <param name="Config">The settings.</param>
/// <param name="Module">The module's name in them.</param>
/// <param name="Source">Where they stand, as a message names it.</param>
internal readonly record struct ModuleSettings(AdapterConfig Config, string Module, string Source)
{
    /// <summary>r.</summary>
    public int Rank => Config.RankOf(Module);

    /// <summary>s.</summary>
    public double Scale => Config.ScaleOf(Module);
}

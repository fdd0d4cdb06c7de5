using Merge.Merging;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;

namespace Merge.Search;

/// <summary>A search, or a soup, as it was asked for.</summary>
internal sealed record SearchRequest
{
    public required Recipe Recipe { get; init; }

    public required PluginCatalog Plugins { get; init; }

    public required SearchFolder Folder { get; init; }

    public IReadOnlyList<string> ModelDirs { get; init; } = [];

    public OnMismatch OnMismatch { get; init; }

    public RunSettings Settings { get; init; } = new();

    /// <summary>Whether to go on with a search that is there.</summary>
    public bool Resume { get; init; }

    /// <summary>How often the best candidates are measured again to see the evaluator's own noise; 0: not at all.</summary>
    public int NoiseMeasurements { get; init; }

    public SearchProgress Progress { get; init; } = new();

    /// <summary>A new planner of its recipes.</summary>
    public RecipePlanner Planner() => new(Plugins, ModelDirs) { OnMismatch = OnMismatch };
}

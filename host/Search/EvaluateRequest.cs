using Merge.Merging;
using Merge.Plugins;
using Merge.Recipes;

namespace Merge.Search;

/// <summary>Models to be scored as they are.</summary>
/// <param name="Models">A recipe that lists them; how they would be merged is of no matter.</param>
/// <param name="Evaluate">Who scores.</param>
/// <param name="Objective">What counts; null: all metrics alike.</param>
/// <param name="EvaluatePath">The recipe that <paramref name="Evaluate"/> stands in: programs run in its folder.</param>
/// <param name="Split">On which split.</param>
internal sealed record EvaluateRequest(
    Recipe Models, EvaluateRecipe Evaluate, ObjectiveRecipe? Objective, string EvaluatePath, string Split)
{
    public required PluginCatalog Plugins { get; init; }

    public IReadOnlyList<string> ModelDirs { get; init; } = [];

    public RunSettings Settings { get; init; } = new();

    /// <summary>Is told of every model that is scored, in whatever order.</summary>
    public Action<ScoredModel> Scored { get; init; } = _ => { };
}

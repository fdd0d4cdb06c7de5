using Merge.Merging.LowRank;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>A recipe whose searched parameters are open: its plan, and the space of what may be chosen.</summary>
internal sealed class PlannedSpace : IDisposable
{
    private readonly RecipePlanner _planner;

    private PlannedSpace(RecipePlanner planner, ResolvedRecipe resolved, MergePlan plan, SpaceOfOptions options)
    {
        (_planner, Resolved, Plan, Options) = (planner, resolved, plan, options);
        Candidates = new(options, plan);
    }

    public ResolvedRecipe Resolved { get; }

    /// <summary>The merge, with stand-ins for searched parameters that the recipe does not give.</summary>
    public MergePlan Plan { get; }

    public SpaceOfOptions Options { get; }

    public SearchSpace Space => Options.Space;

    public CandidateOptions Candidates { get; }

    /// <param name="recipe">The recipe.</param>
    /// <param name="search">What of it is searched.</param>
    /// <param name="plugins">Where its method is.</param>
    /// <param name="planner">New; disposed with the result.</param>
    /// <param name="modelDirs">Where models are looked for, too.</param>
    /// <exception cref="MergeException">What is wrong with recipe, models or space.</exception>
    public static PlannedSpace Of(
        Recipe recipe, SearchRecipe search, PluginCatalog plugins, RecipePlanner planner, IReadOnlyList<string> modelDirs)
    {
        try
        {
            var method = Method(recipe, plugins);
            var schema = OptionsSchema.Of(method.Strategy.OptionsType);
            var options = SearchedOption.Of(schema, search, method.Id, recipe.Path);
            var plan = planner.Plan(SearchedOption.Complete(recipe, options), PlanRequest.DefaultMaxShardBytes);
            AdapterChecks.Check(plan, isOpen: true);
            var places = ModelPlaces.Of(recipe.Path, modelDirs);
            // Metrics read from a log become the models' own: what is rebuilt does not need the log.
            var resolved = TrainingMetrics.Fill(ResolvedRecipe.Of(recipe, places, AdapterRecipe.Are), method.Id, schema, places);
            return new(planner, resolved, plan, SpaceOfOptions.Of(plan, options, search, recipe));
        }
        catch
        {
            planner.Dispose();
            throw;
        }
    }

    /// <summary>The models of the plan, as the recipe names them.</summary>
    public IReadOnlyList<string> ModelNames =>
    [
        .. Plan.Models.Select(c => Resolved.Models.Append(Resolved.Base).OfType<ResolvedModel>()
            .FirstOrDefault(m => m.Key == c.Key)?.Model.Model.Text ?? c.Path),
    ];

    /// <summary>The recipes of points, for a file in this folder.</summary>
    public ChosenRecipe Recipes(string folder) => new(Resolved, Plan, Options, folder);

    public void Dispose() => _planner.Dispose();

    private static StrategyEntry Method(Recipe recipe, PluginCatalog plugins)
    {
        try
        {
            return plugins.Find(recipe.Method);
        }
        catch (MergeException unknown)
        {
            throw new MergeException(
                [.. unknown.Diagnostics.Select(d => d with { Where = $"{recipe.Path}, line {recipe.MethodLine}" })])
            {
                WrongUsage = true,
            };
        }
    }
}

using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;

namespace Merge.Search;

/// <summary>Writes the recipe of a point into the search's folder, and the model it makes: by <c>merge run</c>'s own means.</summary>
internal static class BestModel
{
    /// <param name="session">The search.</param>
    /// <param name="point">What won.</param>
    /// <param name="comment">What it is, for the recipe's first lines.</param>
    /// <param name="cancellation">Stops the merge.</param>
    /// <returns>What a user should know of the model.</returns>
    public static IReadOnlyList<Diagnostic> Make(
        SearchSession session, IReadOnlyList<double> point, IReadOnlyList<string> comment, CancellationToken cancellation)
    {
        var folder = session.Request.Folder;
        Write(folder.BestRecipe, session.Planned.Recipes(folder.Path).At(point, comment));
        using var planner = session.Request.Planner();
        var plan = planner.Plan(RecipeFile.Read(folder.BestRecipe), PlanRequest.DefaultMaxShardBytes);
        return MergeToFolder.Run(
            plan, folder.Best, force: true, sha256: false, session.Request.Settings, new RunProgress(), cancellation).Findings;
    }

    private static void Write(string path, string recipe)
    {
        try
        {
            File.WriteAllText(path, recipe);
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.Writing(path, recipe.Length, fault, ScoringPlace.FullDisk);
        }
    }
}

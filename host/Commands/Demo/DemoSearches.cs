using Merge.Merging;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Search;

namespace Merge.Commands.Demo;

/// <summary>The demo's soup and search: by the same jobs as <c>merge soup</c> and <c>merge search</c>.</summary>
/// <param name="folder">Of the demo.</param>
/// <param name="plugins">Where the methods, the searcher and the evaluator are.</param>
internal sealed class DemoSearches(string folder, PluginCatalog plugins)
{
    public static string RecipesFolder { get; } = Path.Combine(AppContext.BaseDirectory, "samples", "digits", "searches");

    public const string Soup = "greedy-soup";

    public const string Lcsc = "lcsc";

    /// <summary>Where a search leaves everything.</summary>
    public SearchFolder FolderOf(string name) => new(Path.Combine(folder, "searched", name));

    /// <summary>Makes the greedy soup; gives the recipe, for its first line.</summary>
    public Recipe MakeSoup(CancellationToken cancellation)
    {
        var request = Request(Soup);
        var job = new SoupJob(request with { Recipe = SoupRecipe.Of(request.Recipe, plugins) }, isGreedy: true, AcceptRule.Better);
        using var session = job.Open();
        var outcome = job.Run(session, cancellation).GetAwaiter().GetResult();
        BestModel.Make(session, outcome.Best!.Point, [], cancellation);
        SearchReport.Write(session, outcome, job.Name, cancellation);
        FindingsFile.Write(session, outcome);
        return request.Recipe;
    }

    /// <summary>Searches LCSC's coefficients; gives the recipe, for its first line.</summary>
    public Recipe Search(CancellationToken cancellation)
    {
        var request = Request(Lcsc);
        var job = new SearchJob(request);
        using var session = job.Open();
        var outcome = job.Run(session, cancellation).GetAwaiter().GetResult();
        BestModel.Make(session, outcome.Best!.Point, SearchListing.Comment(session, outcome), cancellation);
        SearchReport.Write(session, outcome, request.Recipe.Search!.Searcher, cancellation);
        FindingsFile.Write(session, outcome);
        return request.Recipe;
    }

    private SearchRequest Request(string name)
    {
        // Beside the checkpoints, so that a user can run it again: it names them relative to itself.
        var path = Path.Combine(folder, name + ".yaml");
        File.Copy(Path.Combine(RecipesFolder, name + ".yaml"), path, overwrite: true);
        var target = FolderOf(name);
        // An earlier demo's: this one's checkpoints are new.
        if (Directory.Exists(target.Path))
            Directory.Delete(target.Path, recursive: true);
        return new() { Recipe = RecipeFile.Read(path), Plugins = plugins, Folder = target, Settings = new RunSettings() };
    }
}

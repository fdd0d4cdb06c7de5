using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Where models are looked for, in this order.</summary>
/// <param name="RecipeFolder">The folder the recipe is in.</param>
/// <param name="WorkingDirectory">Where the command runs.</param>
/// <param name="ModelDirs">Each <c>--model-dir</c>.</param>
/// <param name="HubCache">See <see cref="Recipes.HubCache.Folder"/>.</param>
/// <param name="Home">What <c>~</c> stands for.</param>
internal sealed record ModelPlaces(
    string RecipeFolder, string WorkingDirectory, IReadOnlyList<string> ModelDirs, string HubCache, string Home)
{
    /// <summary>Folders of the recipe's other merges, by name: they go before all places.</summary>
    public IReadOnlyDictionary<string, string> Stages { get; init; } = new Dictionary<string, string>();

    /// <summary>The places of this process.</summary>
    public static ModelPlaces Of(string recipePath, IReadOnlyList<string> modelDirs)
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return new(Path.GetDirectoryName(Path.GetFullPath(recipePath))!, Environment.CurrentDirectory, modelDirs,
            Recipes.HubCache.Folder(Environment.GetEnvironmentVariable, home), home);
    }

    /// <summary>The full paths a text may stand for; one alone where it is absolute or starts with <c>~</c>.</summary>
    public IReadOnlyList<string> Candidates(string text)
    {
        if (Stages.TryGetValue(text, out var stage))
            return [stage];
        if (text == "~" || text.StartsWith("~/"))
            text = Path.Combine(Home, text[1..].TrimStart('/'));
        IEnumerable<string> folders = [RecipeFolder, WorkingDirectory, .. ModelDirs];
        return [.. folders.Select(f => Path.GetFullPath(text, Path.GetFullPath(f)))
            .Select(Path.TrimEndingDirectorySeparator).Distinct()];
    }

    /// <summary>Says where a name is both a merge of the recipe and a folder: the merge is taken.</summary>
    public IEnumerable<Diagnostic> Shadowed(Recipe recipe)
    {
        var places = this with { Stages = new Dictionary<string, string>() };
        return
            from use in StagedRecipe.Uses(recipe, [.. Stages.Keys])
            let folder = places.Candidates(use.Text).FirstOrDefault(Path.Exists)
            where folder is not null
            select new Diagnostic($"{RecipeText.Quote(use.Text)} is a merge of this recipe and {folder} too: the merge is taken")
            {
                Severity = Severity.Warning,
                Where = $"{recipe.Path}, line {use.Line}",
                Fix = $"For the folder write './{use.Text}'.",
            };
    }
}

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
        if (text == "~" || text.StartsWith("~/"))
            text = Path.Combine(Home, text[1..].TrimStart('/'));
        IEnumerable<string> folders = [RecipeFolder, WorkingDirectory, .. ModelDirs];
        return [.. folders.Select(f => Path.GetFullPath(text, Path.GetFullPath(f)))
            .Select(Path.TrimEndingDirectorySeparator).Distinct()];
    }
}

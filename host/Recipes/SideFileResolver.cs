using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>
/// Finds the file a side input's name stands for: where models are looked for, else, as <c>org/name/path/file</c> (or
/// <c>org/name:path/file</c>), in the Hugging Face cache. Nothing is downloaded.
/// </summary>
internal static class SideFileResolver
{
    /// <summary>The full path.</summary>
    /// <param name="file">As the recipe writes it.</param>
    /// <param name="parameter">What names it.</param>
    /// <param name="line">The recipe's line.</param>
    /// <param name="places">Where to look.</param>
    /// <param name="recipePath">For messages.</param>
    /// <exception cref="MergeException">It is nowhere: where it was looked for, and what would fetch it.</exception>
    public static string Resolve(string file, string parameter, int? line, ModelPlaces places, string recipePath)
    {
        var candidates = (places with { Stages = new Dictionary<string, string>() }).Candidates(file);
        if (candidates.FirstOrDefault(Path.Exists) is { } found)
            return found;
        var looked = candidates.ToList();
        string? fetch = null;
        string[] parts = file.Replace(':', '/').Split('/');
        if (parts.Length > 2 && parts.Skip(2).All(HubName.IsPlain) && HubName.Parse($"{parts[0]}/{parts[1]}") is { } hub)
        {
            var rest = string.Join('/', parts[2..]);
            if (HubCache.Find(places.HubCache, hub, out var lookedInCache) is { } snapshot)
            {
                lookedInCache = Path.Combine(snapshot, rest);
                if (Path.Exists(lookedInCache))
                    return lookedInCache;
            }
            looked.Add(lookedInCache);
            fetch = $"To fetch it: {hub.Command.Replace(hub.Id, $"{hub.Id} {rest}")}";
        }
        throw new MergeException(new Diagnostic(
            $"'{parameter}' names {RecipeText.Quote(file)}, which is not found; looked for {string.Join(", ", looked)}")
        {
            Where = line is null ? recipePath : $"{recipePath}, line {line}",
            Fix = fetch ?? "Correct the path; it starts from the recipe's folder or the working directory.",
        })
        {
            WrongUsage = true,
        };
    }
}

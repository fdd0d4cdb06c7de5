using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Finds the folder or file a model's name stands for. Nothing is downloaded.</summary>
internal static class ModelResolver
{
    private const int MostSiblings = 4096;

    /// <summary>The full path of a model's folder or file, with the <c>#key</c> behind it, if any.</summary>
    /// <exception cref="MergeException">It is nowhere: where it was looked for, and what would fetch it.</exception>
    public static string Resolve(ModelReference model, ModelPlaces places, string recipePath)
    {
        var candidates = places.Candidates(model.Text);
        if (candidates.FirstOrDefault(Path.Exists) is { } found)
            return found;
        if (model.Text.LastIndexOf('#') is > 0 and var key)
            return Resolve(model with { Text = model.Text[..key] }, places, recipePath) + model.Text[key..];
        var where = $"{recipePath}, line {model.Line}";
        var name = RecipeText.Quote(model.Text);
        var looked = candidates.ToList();
        var hub = HubName.Parse(model.Text);
        if (hub is not null)
        {
            if (HubCache.Find(places.HubCache, hub, out var lookedInCache) is { } snapshot)
                return snapshot;
            looked.Add(lookedInCache);
        }
        var guess = NearestMatch.Question(model.Text, Names(model.Text, candidates, places));
        var fetch = hub is null ? null : $"To fetch it: {hub.Command}";
        throw Stop(new Diagnostic($"model {name} is not found; looked for {string.Join(", ", looked)}")
        {
            Where = where,
            Fix = guess is null ? fetch : fetch is null ? guess : $"{guess} {fetch}",
        });
    }

    /// <summary>The full paths of a model and of the adapters in it: <c>base+adapter</c>, and those listed below it.</summary>
    /// <exception cref="MergeException">One of them is nowhere.</exception>
    public static (string Path, IReadOnlyList<ResolvedAdapter> Adapters) ResolveParts(
        ModelReference model, ModelPlaces places, string recipePath)
    {
        // A folder whose name holds a '+' is one.
        string[] parts = places.Candidates(model.Text).Any(Path.Exists) ? [model.Text] : model.Text.Split('+');
        if (parts.Any(p => p.Trim().Length == 0))
        {
            throw Stop(new Diagnostic($"{RecipeText.Quote(model.Text)} has nothing before or after a '+'")
            {
                Where = $"{recipePath}, line {model.Line}",
                Expected = "a model, '+', and an adapter",
            });
        }
        string Resolved(string text, int line) => Resolve(new ModelReference(text.Trim(), line), places, recipePath);
        return (Resolved(parts[0], model.Line),
        [
            .. parts.Skip(1).Select(p => new ResolvedAdapter(Resolved(p, model.Line), 1, p.Trim())),
            .. model.Adapters.Select(a => new ResolvedAdapter(Resolved(a.Text, a.Line), a.Weight, a.Text)),
        ]);
    }

    /// <summary>
    /// What to say of a model that is only named, and is nowhere: nothing where it may well be one of the hub's.
    /// </summary>
    public static Diagnostic? Doubt(ModelReference model, ModelPlaces places, string recipePath)
    {
        var candidates = places.Candidates(model.Text);
        var guess = NearestMatch.Question(model.Text, Names(model.Text, candidates, places));
        if (HubName.Parse(model.Text) is not null && guess is null)
            return null;
        return new Diagnostic($"the model {RecipeText.Quote(model.Text)}, which the result will name, is not found; looked for {string.Join(", ", candidates)}")
        {
            Severity = Severity.Warning,
            Where = $"{recipePath}, line {model.Line}",
            Expected = "a folder, or the hub's name of a model (org/name)",
            Fix = guess ?? "What loads the result looks for its base there: correct the path, or leave it out.",
        };
    }

    // What stands beside the places looked at, written as the recipe would.
    private static IEnumerable<string> Names(string text, IReadOnlyList<string> candidates, ModelPlaces places)
    {
        var prefix = text[..(text.LastIndexOf('/') + 1)];
        return candidates.Select(Path.GetDirectoryName).Where(Directory.Exists)
            .SelectMany(folder => Siblings(folder!).Select(s => prefix + Path.GetFileName(s)))
            .Concat(HubCache.Models(places.HubCache)).Concat(places.Stages.Keys);
    }

    private static IEnumerable<string> Siblings(string folder) =>
        Directory.EnumerateFileSystemEntries(folder, "*", new EnumerationOptions { IgnoreInaccessible = true })
            .Take(MostSiblings);

    private static MergeException Stop(Diagnostic diagnostic) => new(diagnostic) { WrongUsage = true };
}

using System.Globalization;
using Merge.Planning;
using Merge.Recipes;

namespace Merge.Search;

/// <summary>
/// What decides the trials of a search, item by item in words: two searches with the same items have the same trials. How many
/// there are, how they are run and what they are reported on is no part of it.
/// </summary>
internal static class SearchIdentity
{
    // Neither a longer budget nor other machines change what is asked.
    private static readonly Dictionary<string, string[]> Free = new()
    {
        [SearchSection.Key] = ["trials", "final", "rescore", "ingredients", "give_up_after"],
        ["evaluate"] = ["timeout", "retries", "workers", "environment", "candidates"],
        ["splits"] = ["report", "final"],
    };

    /// <param name="kind">What is done: <c>search</c> or <c>soup</c>.</param>
    /// <param name="recipe">The recipe, its trajectories expanded or not.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="toolVersion">Of merge.</param>
    /// <param name="plugins">The plugins that take part, by what they do, and their digests.</param>
    public static IReadOnlyList<(string Item, string Value)> Of(
        string kind, Recipe recipe, MergePlan plan, string toolVersion, IEnumerable<(string Item, string Digest)> plugins) =>
    [
        ("kind", kind),
        ("merge", toolVersion),
        .. recipe.Map!.Entries.Select(e => (e.Key, YamlText.Inline(Without(e)))),
        .. plugins.Select(p => (p.Item, p.Digest)),
        .. plan.Distinctions.Select((d, i) => ($"distinction {i}", d)),
        .. plan.InputFiles.Select(f => ($"file {f.Model} {Path.GetFileName(f.File.Path)}", string.Create(
            CultureInfo.InvariantCulture, $"{f.File.Size} bytes, {f.File.LastWrite.ToUniversalTime():yyyy-MM-ddTHH:mm:ss.fffffffZ}"))),
    ];

    private static YamlNode Without(YamlEntry entry) =>
        entry.Value is YamlMap map && Free.TryGetValue(entry.Key, out var free)
            ? map with { Entries = [.. map.Entries.Where(e => !free.Contains(e.Key))] }
            : entry.Value;
}

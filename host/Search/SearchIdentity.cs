using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
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
        ("values", Values(plan)),
        .. plan.Distinctions.Select((d, i) => ($"distinction {i}", d)),
        .. plan.InputFiles.Select(f => ($"file {f.Model} {Path.GetFileName(f.File.Path)}", string.Create(
            CultureInfo.InvariantCulture, $"{f.File.Size} bytes, {f.File.LastWrite.ToUniversalTime():yyyy-MM-ddTHH:mm:ss.fffffffZ}"))),
    ];

    // What the recipe's parameters come to, from whatever file: a training log's metrics are among them.
    private static string Values(MergePlan plan)
    {
        var text = new StringBuilder();
        foreach (var tensor in plan.Tensors.Where(t => !t.IsCopied))
        {
            foreach (var parameter in tensor.Values)
            {
                text.Append(CultureInfo.InvariantCulture, $"{tensor.Info.Name} {parameter.Schema.Name}");
                foreach (var value in parameter.Values)
                    text.Append(' ').Append(JsonSerializer.Serialize(value.Value?.ToString()));
                text.Append('\n');
            }
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 16));
    }

    private static YamlNode Without(YamlEntry entry) =>
        entry.Value is YamlMap map && Free.TryGetValue(entry.Key, out var free)
            ? map with { Entries = [.. map.Entries.Where(e => !free.Contains(e.Key))] }
            : entry.Value;
}

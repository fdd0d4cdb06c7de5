using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>Why a method, searcher or evaluator is not there: it is mistyped, or in a plugin that failed or was refused.</summary>
internal static class MissingPart
{
    /// <param name="what">What was looked for, in words.</param>
    /// <param name="kinds">Each a <see cref="PluginPart.Kind"/>.</param>
    /// <param name="name">As it was asked for.</param>
    /// <param name="ids">All of the kind that can be used.</param>
    /// <param name="plugins">Every plugin found.</param>
    public static Diagnostic Explain(string what, IReadOnlyList<string> kinds, string name, IReadOnlyList<string> ids, IReadOnlyList<PluginStatus> plugins)
    {
        var refused = plugins.Where(p => p.State == PluginState.Untrusted).ToArray();
        var holders = refused.Where(p => kinds.Any(k => Offers(p, k, name))).ToArray();
        if (holders.Length > 0)
        {
            return new Diagnostic($"the {kinds.First(k => Offers(holders[0], k, name))} '{name}' comes from plugin {holders[0].Name}, which --trusted-only refuses")
            {
                Fix = Refusals(holders),
            };
        }
        var failed = plugins.Where(p => p.State is not (PluginState.Loaded or PluginState.Shadowed or PluginState.Untrusted))
            .Select(p => $"{p.Name} ({p.State})").ToArray();
        string?[] fixes =
        [
            NearestMatch.Question(name, ids),
            refused.Length == 0 ? null : $"It may be in a plugin that --trusted-only refuses. {Refusals(refused)}",
            failed.Length == 0 ? null : $"It may be in a plugin that failed: {string.Join(", ", failed)}; `merge plugins` says why.",
        ];
        // Nothing else tells what to do.
        if (fixes.All(f => f is null))
            fixes = ["If a plugin brings it: `merge plugins install FOLDER`, or --plugin-path FOLDER for this run."];
        return new Diagnostic($"there is no {what} '{name}'")
        {
            Expected = ids.Count == 0
                ? $"{(kinds[0][0] is 'e' ? "an" : "a")} {string.Join(" or ", kinds)} of an installed plugin, but none is loaded"
                : ids.Count == 1 ? ids[0] : $"one of {string.Join(", ", ids)}",
            Fix = string.Join(" ", fixes.Where(f => f is not null)),
        };
    }

    private static bool Offers(PluginStatus plugin, string kind, string name) =>
        plugin.Recorded.Any(r => r.Replace('-', '_') == $"{kind} {name}".Replace('-', '_'));

    private static string Refusals(IEnumerable<PluginStatus> plugins) =>
        string.Join(" ", plugins.SelectMany(p => p.Problems).Select(p => $"{p.Found}: {p.Fix}"));
}

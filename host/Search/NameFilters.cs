using Merge.Planning;
using Merge.Recipes;

namespace Merge.Search;

/// <summary>
/// Filters that give every tensor its value by name. The first that is part of a name wins, so the short form (a filter a
/// layer, one entry for the rest) is checked name by name; where it would catch a wrong one, every tensor gets a filter of
/// its own, the longest first: no other name of that length holds it.
/// </summary>
internal static class NameFilters
{
    /// <param name="values">What each tensor is to have.</param>
    /// <returns>The entries in order; a null filter matches everything.</returns>
    public static IReadOnlyList<(string? Filter, double Value)> Of(IReadOnlyDictionary<string, double> values)
    {
        var common = values.Values.CountBy(v => v).MaxBy(c => c.Value).Key;
        if (values.Values.All(v => v.Equals(common)))
            return [(null, common)];
        var compact = Compact(values, common);
        return Gives(compact, values)
            ? compact
            : [.. values.OrderByDescending(v => v.Key.Length).ThenBy(v => v.Key, StringComparer.Ordinal).Select(v => ((string?)v.Key, v.Value))];
    }

    private static List<(string? Filter, double Value)> Compact(IReadOnlyDictionary<string, double> values, double common)
    {
        var entries = new List<(string?, double)>();
        var layers = values.GroupBy(v => TensorNaming.Split(v.Key) is { } name ? $"{name.Stack}{name.Layer}." : v.Key);
        foreach (var layer in layers)
        {
            if (layer.All(v => v.Value.Equals(layer.First().Value)))
                entries.Add((layer.Key, layer.First().Value));
            else
                entries.AddRange(layer.Select(v => ((string?)v.Key, v.Value)));
        }
        entries.RemoveAll(e => e.Item2.Equals(common));
        entries.Add((null, common));
        return entries;
    }

    private static bool Gives(List<(string? Filter, double Value)> entries, IReadOnlyDictionary<string, double> values) =>
        values.All(v => entries.First(e => FilterRule.Matches(e.Filter, v.Key)).Value.Equals(v.Value));
}

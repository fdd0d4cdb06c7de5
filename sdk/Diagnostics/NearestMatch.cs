namespace Merge.Sdk;

/// <summary>Finds what a mistyped name was meant to be.</summary>
internal static class NearestMatch
{
    /// <summary>
    /// The candidate that is fewest edits away (insert, drop, replace, swap neighbours; case, and <c>-</c> for
    /// <c>_</c>, do not count), the first of equals; null where none is near enough to be a guess: at most a third of
    /// the longer name, rounded, at least one edit.
    /// </summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        string? nearest = null;
        var fewest = int.MaxValue;
        foreach (var candidate in candidates)
        {
            var limit = Math.Min(fewest, Math.Max(1, (Math.Max(name.Length, candidate.Length) + 1) / 3) + 1);
            if (Math.Abs(candidate.Length - name.Length) >= limit)
                continue;
            var edits = Edits(Fold(name), Fold(candidate));
            if (edits >= limit || edits >= Math.Max(name.Length, candidate.Length))
                continue;
            (nearest, fewest) = (candidate, edits);
        }
        return nearest;
    }

    /// <summary>"Did you mean …?", or null.</summary>
    public static string? Question(string name, IEnumerable<string> candidates) =>
        Of(name, candidates) is { } nearest ? $"Did you mean '{nearest}'?" : null;

    private static string Fold(string name) => name.ToLowerInvariant().Replace('-', '_');

    // Damerau-Levenshtein, restricted: no part is edited twice. Three rows suffice.
    private static int Edits(string from, string to)
    {
        var (before, above, row) = (new int[to.Length + 1], new int[to.Length + 1], new int[to.Length + 1]);
        for (var j = 0; j <= to.Length; j++)
            above[j] = j;
        for (var i = 1; i <= from.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                row[j] = Math.Min(replaced, Math.Min(above[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
            }
            (before, above, row) = (above, row, before);
        }
        return above[to.Length];
    }
}

namespace Merge.Plugins;

/// <summary>What someone who mistyped a name most likely meant.</summary>
internal static class NearestMatch
{
    /// <summary>
    /// The known name with the fewest edits (insert, delete, replace, swap neighbours; case and <c>-</c>/<c>_</c> do
    /// not count), or null where none is within a third of the name's length (at least one edit).
    /// </summary>
    public static string? Of(string name, IEnumerable<string> known)
    {
        var nearest = known
            .Select(candidate => (candidate, edits: Edits(Fold(name), Fold(candidate))))
            .OrderBy(pair => pair.edits)
            .ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .FirstOrDefault();
        return nearest.candidate is not null && nearest.edits <= Math.Max(1, name.Length / 3)
            ? nearest.candidate
            : null;
    }

    private static string Fold(string name) => name.ToLowerInvariant().Replace('-', '_');

    private static int Edits(string a, string b)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                table[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(
                        Math.Min(table[i - 1, j], table[i, j - 1]) + 1,
                        table[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }
        return table[a.Length, b.Length];
    }
}

namespace Merge.Plugins;

/// <summary>
/// Plugins further down: what is meant by a path that ends some levels above the folder a plugin was built into, at its project say.
/// </summary>
internal static class PluginsBelow
{
    private const int MostLevels = 5;
    private const int MostFolders = 2000;
    private const int MostNamed = 4;

    /// <summary>Plugin folders below one that is none, relative to it with forward slashes, nearest first; not those of test projects.</summary>
    public static IReadOnlyList<string> Of(string folder)
    {
        var found = new List<string>();
        List<string> level = [folder];
        var seen = 0;
        for (var depth = 0; depth < MostLevels; depth++)
        {
            var next = new List<string>();
            foreach (var inner in level.SelectMany(Folders))
            {
                if (++seen > MostFolders)
                    return found;
                if (IsPlugin(inner))
                    found.Add(Path.GetRelativePath(folder, inner).Replace('\\', '/'));
                else
                    next.Add(inner);
            }
            level = next;
        }
        return found;
    }

    /// <summary>"Did you mean …?", or null where there is none.</summary>
    /// <param name="folder">Where to look.</param>
    /// <param name="named">What the user called it.</param>
    public static string? Question(string folder, string named) =>
        Of(folder) is { Count: > 0 } found ? $"Did you mean {Either(found.Select(f => Path.Combine(named, f)))}?" : null;

    /// <summary>A choice, in words.</summary>
    public static string Either(IEnumerable<string> places) =>
        string.Join(" or ", places.Take(MostNamed).Select(p => $"'{p}'"));

    // What a compiler keeps for itself (obj) has the dll, but not what it needs.
    private static IEnumerable<string> Folders(string folder)
    {
        try
        {
            return Directory.GetDirectories(folder)
                .Where(f => Path.GetFileName(f) is var name && name != "obj" && !name.StartsWith('.') && new DirectoryInfo(f).LinkTarget is null)
                .Order(StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static bool IsPlugin(string folder)
    {
        try
        {
            return PluginFolders.HoldsAssembly(folder)
                && PluginAssembly.Read(PluginAssembly.Find(folder)) is { Contract: not null, IsProgram: false };
        }
        catch (Exception e) when (e is Sdk.MergeException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

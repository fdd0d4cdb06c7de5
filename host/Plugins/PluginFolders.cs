using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>Where plugins are looked for.</summary>
/// <param name="Folders">Full paths of plugin folders, first come first served; none twice.</param>
/// <param name="Problems">Places that were named but hold no plugin: errors where they were named for this one run.</param>
internal sealed record PluginFolders(IReadOnlyList<string> Folders, IReadOnlyList<Diagnostic> Problems)
{
    private const string Option = "--plugin-path";

    /// <summary>Those of <see cref="Folders"/> that were named for this one run: whoever did so means their code, and no other.</summary>
    public IReadOnlyList<string> Named { get; init; } = [];

    public const string Variable = "MERGE_PLUGINS";

    /// <summary>The host's own plugins come with it, and are trusted as it is.</summary>
    public static bool IsOwn(string folder) =>
        folder.StartsWith(OwnPlace + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static string OwnPlace { get; } = Path.Combine(AppContext.BaseDirectory, "plugins");

    /// <summary>
    /// The host's own <c>plugins/</c>, then <c>$MERGE_PLUGINS</c>, then <paramref name="extra"/>, then what the user has
    /// installed; within each place by name (ordinal). What is named for one run comes before what is installed, so that an
    /// author's latest build is the one that runs.
    /// </summary>
    /// <param name="extra">Each a plugin folder, or a folder of plugin folders.</param>
    public static PluginFolders Default(params IReadOnlyList<string> extra)
    {
        var installed = UserFolders.Plugins is { } store && new PluginStore(store).Names.Count > 0 ? store : null;
        var listed = (Environment.GetEnvironmentVariable(Variable) ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return Find([
            .. Directory.Exists(OwnPlace) ? [(OwnPlace, "the host's own plugins")] : Array.Empty<(string, string)>(),
            .. listed.Select(entry => (entry, $"${Variable}")),
            .. extra.Select(entry => (entry, Option)),
            .. installed is null ? Array.Empty<(string, string)>() : [(installed, "the installed plugins")]]);
    }

    /// <summary>Plugin folders at exactly these places.</summary>
    public static PluginFolders At(params IReadOnlyList<string> places) =>
        Find([.. places.Select(place => (place, "the folders given"))]);

    private static PluginFolders Find(IReadOnlyList<(string Place, string NamedBy)> places)
    {
        var folders = new List<string>();
        var named = new List<string>();
        var problems = new List<Diagnostic>();
        foreach (var (place, namedBy) in places)
        {
            var severity = namedBy == Option ? Severity.Error : Severity.Warning;
            var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(place));
            if (!Directory.Exists(full))
            {
                var isFile = File.Exists(full);
                problems.Add(new Diagnostic(isFile ? $"'{place}' is no folder" : $"there is no folder '{place}'")
                {
                    Severity = severity,
                    Where = namedBy,
                    Fix = isFile ? "Give the folder it lies in." : "Correct the path, or take it out.",
                });
                continue;
            }
            var found = HoldsAssembly(full)
                ? [full]
                : Directory.GetDirectories(full).Where(f => !Path.GetFileName(f).StartsWith('.') && HoldsAssembly(f))
                    .Order(StringComparer.Ordinal).ToArray();
            if (found.Length == 0)
            {
                problems.Add(new Diagnostic($"'{place}' holds no plugin")
                {
                    Severity = severity,
                    Where = namedBy,
                    Expected = "a plugin folder (with a dll in it), or a folder of plugin folders",
                    Fix = PluginsBelow.Question(full, place),
                });
            }
            if (namedBy == Option)
                named.AddRange(found);
            folders.AddRange(found.Except(folders, StringComparer.Ordinal));
        }
        return new(folders, problems) { Named = named };
    }

    /// <summary>Whether it looks like a plugin's folder, sound or not.</summary>
    public static bool HoldsAssembly(string folder) =>
        Directory.EnumerateFiles(folder, "*.dll").Any() || Directory.EnumerateFiles(folder, "*.deps.json").Any();
}

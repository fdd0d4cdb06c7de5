namespace Merge.Plugins;

/// <summary>The output of a test project or a program that refers to a plugin, taken for the plugin's.</summary>
internal static class ProgramOutput
{
    private const int MostLevels = 6;

    public const string Found = "it is the output of a program or a test project, and no plugin";

    public const string Expected = "the folder the plugin's own project is built into";

    /// <summary>"Did you mean …?": the projects beside it that are called as the plugins among its dlls; null where there is none.</summary>
    /// <param name="folder">Its full path.</param>
    public static string? Question(string folder)
    {
        string[] plugins = [.. Directory.GetFiles(folder, "*.dll").Where(IsPlugin).Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];
        var level = Path.GetDirectoryName(folder);
        for (var i = 0; i < MostLevels && level is not null; i++, level = Path.GetDirectoryName(level))
        {
            string[] found =
            [
                .. plugins.Select(p => Path.Combine(level, p)).Where(Directory.Exists)
                    .SelectMany(project => PluginsBelow.Of(project).Select(below => Path.Combine(project, below))),
            ];
            if (found.Length > 0)
                return $"Did you mean {PluginsBelow.Either(found)}?";
        }
        return null;
    }

    private static bool IsPlugin(string dll)
    {
        try
        {
            return PluginAssembly.Read(dll) is { Contract: not null, IsProgram: false };
        }
        catch (Sdk.MergeException)
        {
            return false;
        }
    }
}

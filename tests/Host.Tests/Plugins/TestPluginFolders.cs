using Merge.Plugins;
using Merge.Recipes;

namespace Host.Tests.Plugins;

/// <summary>The plugins of tests/TestPlugins as built, and a place of its own for altered copies of them.</summary>
internal sealed class TestPluginFolders : IDisposable
{
    private static readonly string Built =
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../testplugins"));

    public string Root { get; } = Directory.CreateTempSubdirectory("merge-plugins-").FullName;

    /// <summary>A copy of a built plugin's folder, without some of its files.</summary>
    public string Copy(string plugin, string? name = null, params string[] without)
    {
        var folder = Empty(name ?? plugin);
        foreach (var file in Directory.GetFiles(Path.Combine(Built, plugin)))
        {
            if (!without.Contains(Path.GetFileName(file)))
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
        return folder;
    }

    public string Empty(string name) => Directory.CreateDirectory(Path.Combine(Root, name)).FullName;

    public string WithFile(string name, string file, byte[] bytes)
    {
        var folder = Empty(name);
        File.WriteAllBytes(Path.Combine(folder, file), bytes);
        return folder;
    }

    public static byte[] Dll(string plugin, string? dll = null) =>
        File.ReadAllBytes(Path.Combine(Built, plugin, (dll ?? plugin) + ".dll"));

    /// <summary>Everything that lies in <see cref="Root"/>.</summary>
    public PluginCatalog Load() => PluginCatalog.Load(PluginFolders.At(Root), optionFaults: OptionsSchema.Faults);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Merge.Plugins;
using Merge.Sdk;

namespace Host.Tests.Plugins;

public sealed class PluginIsolationTests : IDisposable
{
    private readonly TestPluginFolders _folders = new();

    public void Dispose() => _folders.Dispose();

    [Fact]
    public void Two_plugins_carry_two_versions_of_one_library()
    {
        _folders.Copy("PrivateA");
        _folders.Copy("PrivateB");

        using var catalog = _folders.Load();

        Assert.Equal("release 1", catalog.Find("private-a").Info.Formula);
        Assert.Equal("release 2", catalog.Find("private-b").Info.Formula);
    }

    [Fact]
    public void A_library_of_the_host_is_not_lent_to_plugins()
    {
        var library = Path.Combine(_folders.Copy("PrivateB", "host-library"), "Shared.Library.dll");
        var hosts = AssemblyLoadContext.Default.LoadFromAssemblyPath(library);
        Assert.Equal(new Version(2, 0, 0, 0), hosts.GetName().Version);
        var carries = _folders.Copy("PrivateA");
        var lacks = _folders.Copy("PrivateA", "lacks", "Shared.Library.dll", "PrivateA.deps.json");

        using var catalog = PluginCatalog.Load(PluginFolders.At(carries, lacks));

        Assert.Equal("release 1", catalog.Find("private-a").Info.Formula);
        Assert.Equal([PluginState.Loaded, PluginState.MissingDependency], catalog.Plugins.Select(p => p.State));
    }

    [Fact]
    public void A_copy_of_the_sdk_in_the_folder_is_passed_over_and_its_author_told()
    {
        var folder = _folders.Copy("PrivateA");
        File.Copy(typeof(MergeStrategy).Assembly.Location, Path.Combine(folder, "Merge.Sdk.dll"));
        _folders.Copy("PrivateB");

        using var catalog = _folders.Load();

        Assert.Equal([PluginState.Loaded, PluginState.Loaded], catalog.Plugins.Select(p => p.State));
        var note = Assert.Single(catalog.Plugins[0].Notes);
        Assert.Equal("Merge.Sdk.dll is not needed: the host's is used", note.Found);
        Assert.Equal((Severity.Warning, Actor.PluginAuthor), (note.Severity, note.Actor));
        Assert.Contains("ExcludeAssets=\"runtime\"", note.Fix, StringComparison.Ordinal);
        Assert.Empty(catalog.Plugins[1].Notes);
    }

    [Fact]
    public void A_disposed_catalog_lets_go_of_the_plugins_code()
    {
        _folders.Copy("PrivateA");

        var context = LoadAndDispose();
        for (var i = 0; i < 20 && context.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(context.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference LoadAndDispose()
    {
        using var catalog = _folders.Load();
        return new(AssemblyLoadContext.GetLoadContext(catalog.Find("private-a").Strategy.GetType().Assembly));
    }
}

using Merge.Plugins;
using Merge.Sdk;

namespace Host.Tests.Plugins;

/// <summary>What is pinned runs, whatever else does not, and the words say which of the reasons it is.</summary>
public sealed class TrustedPluginsTests : IDisposable
{
    private readonly TestPluginFolders _folders = new();
    private readonly PluginStore _store;

    public TrustedPluginsTests() => _store = new PluginStore(Path.Combine(_folders.Root, "store"));

    public void Dispose() => _folders.Dispose();

    [Fact]
    public void Only_trusted_plugins_run_where_that_is_asked_for()
    {
        var folder = _folders.Copy("PrivateA");
        var pins = Path.Combine(_folders.Root, "pins.json");
        TrustedPlugins.Read(pins).With("PrivateA", PluginDigest.Of(folder)).WriteTo(pins);
        Assert.Equal(PluginState.Loaded, State(TrustedPlugins.Read(pins)));
        File.AppendAllText(Path.Combine(folder, "PrivateA.deps.json"), " ");
        Assert.Equal(PluginState.Untrusted, State(TrustedPlugins.Read(pins)));
        Assert.Equal(PluginState.Loaded, State(null));
        File.WriteAllText(pins, "{");
        Assert.Contains("cannot be read", Assert.Throws<MergeException>(() => TrustedPlugins.Read(pins)).Message);

        PluginState State(TrustedPlugins? only)
        {
            using var catalog = PluginCatalog.Load(PluginFolders.At(folder), only: only);
            return Assert.Single(catalog.Plugins).State;
        }
    }

    [Fact]
    public void A_method_of_an_installed_plugin_that_is_not_pinned_names_the_plugin_and_the_command()
    {
        Install(_folders.Copy("PrivateA"));
        Install(_folders.Copy("PrivateB"));

        var missing = Missing("private_a", Pins());

        Assert.Equal("the method 'private_a' comes from plugin PrivateA, which --trusted-only refuses", missing.Found);
        Assert.Null(missing.Expected);
        Assert.Equal("PrivateA is not pinned: `merge plugins trust PrivateA` pins it.", missing.Fix);
    }

    [Fact]
    public void One_changed_after_it_was_pinned_says_so_and_points_to_verify()
    {
        var pinned = Install(_folders.Copy("PrivateA"));
        File.AppendAllText(Path.Combine(_store.FolderOf("PrivateA"), "PrivateA.dll"), "x");
        var now = PluginDigest.Of(_store.FolderOf("PrivateA"));

        Assert.Equal(
            $"PrivateA is pinned as {pinned[..8]}… but its files are {now[..8]}…: `merge plugins verify PrivateA` says what differs.",
            Missing("private-a", Pins(("PrivateA", pinned))).Fix);
    }

    [Fact]
    public void One_replaced_after_it_was_pinned_points_to_trust()
    {
        var folder = _folders.Copy("PrivateA");
        var pinned = Install(folder);
        File.WriteAllText(Path.Combine(folder, "more.txt"), "more");
        var now = Install(folder);

        Assert.Equal(
            $"PrivateA is pinned as {pinned[..8]}… but its files are {now[..8]}…: "
                + "`merge plugins trust PrivateA` pins the one that was installed since.",
            Missing("private-a", Pins(("PrivateA", pinned))).Fix);
    }

    [Fact]
    public void Of_a_folder_that_nobody_installed_every_one_refused_is_named_with_its_place()
    {
        var a = _folders.Copy("PrivateA", "bin/Debug/net10.0");
        var b = _folders.Copy("PrivateB", "b");
        var pins = Pins(("PrivateB", new string('0', 64)));
        using var catalog = PluginCatalog.Load(PluginFolders.At(a, b), only: pins);

        var missing = Assert.Single(Assert.Throws<MergeException>(() => catalog.Find("private-a")).Diagnostics);

        Assert.Equal("there is no merge method 'private-a'", missing.Found);
        Assert.Equal(
            "It may be in a plugin that --trusted-only refuses. "
                + $"PrivateA is not pinned: `merge plugins trust {a}` pins it. "
                + $"PrivateB is pinned as 00000000… but its files are {PluginDigest.Of(b)[..8]}…: `merge plugins trust {b}` pins what is there now, "
                + "if it was you who built it anew.",
            missing.Fix);
    }

    [Fact]
    public void A_list_says_what_is_pinned_and_what_was_changed_since()
    {
        var (pinned, changed, unpinned) = (_folders.Copy("PrivateA"), _folders.Copy("PrivateB"), _folders.Copy("Throws"));
        var pins = Pins(("PrivateA", PluginDigest.Of(pinned)), ("PrivateB", new string('0', 64)));
        using var catalog = PluginCatalog.Load(PluginFolders.At(pinned, changed, unpinned));

        // None is installed: that one's own build differs from what was pinned is no tampering.
        Assert.Equal(["yes", "no", "no"], catalog.Plugins.Select(pins.Standing));
        Assert.Empty(pins.Changed(catalog.Plugins));

        Install(changed);
        Assert.Equal("changed", pins.Standing(Loaded(_store.FolderOf("PrivateB"))));
    }

    [Fact]
    public void An_installed_plugin_that_is_not_as_it_was_pinned_is_warned_of()
    {
        var pins = Pins(("PrivateA", Install(_folders.Copy("PrivateA"))));
        var folder = _store.FolderOf("PrivateA");
        Assert.Empty(pins.Changed([Loaded(folder)]));
        File.WriteAllText(Path.Combine(folder, "more.txt"), "more");

        var warning = Assert.Single(pins.Changed([Loaded(folder)]));

        Assert.Equal(Severity.Warning, warning.Severity);
        Assert.StartsWith("PrivateA is pinned as ", warning.Found, StringComparison.Ordinal);
        Assert.Equal("`merge plugins verify PrivateA` says what differs.", warning.Fix);
    }

    private Diagnostic Missing(string method, TrustedPlugins pins)
    {
        using var catalog = PluginCatalog.Load(PluginFolders.At([.. _store.Names.Select(_store.FolderOf)]), only: pins);
        var error = Assert.Throws<MergeException>(() => catalog.Find(method));
        Assert.True(error.WrongUsage);
        return Assert.Single(error.Diagnostics);
    }

    private TrustedPlugins Pins(params (string Name, string Digest)[] pins) =>
        new(pins.ToDictionary(p => p.Name, p => p.Digest)) { Installed = _store };

    private string Install(string folder) => _store.Install(folder, replace: true, Loaded).Receipt.Digest;

    private static PluginStatus Loaded(string folder)
    {
        using var catalog = PluginCatalog.Load(PluginFolders.At(folder));
        return Assert.Single(catalog.Plugins);
    }
}

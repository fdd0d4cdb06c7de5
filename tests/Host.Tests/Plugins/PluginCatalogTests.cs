using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Plugins;

public sealed class PluginCatalogTests : IDisposable
{
    private readonly TestPluginFolders _folders = new();

    public void Dispose() => _folders.Dispose();

    [Fact]
    public void Plugins_come_in_the_order_of_places_then_names()
    {
        var second = _folders.Copy("PrivateA", "z/b");
        _folders.Copy("PrivateB", "z/a");
        var first = _folders.Copy("Throws", "y");

        using var catalog = PluginCatalog.Load(
            PluginFolders.At(first, Path.GetDirectoryName(second)!, second), optionFaults: OptionsSchema.Faults);

        Assert.Equal(["y", "a", "b"], catalog.Plugins.Select(p => Path.GetFileName(p.Folder)));
        Assert.Equal(["private-a", "private_b", "throws-in-plan", "wrong-axis"], catalog.Methods.Select(m => m.Id));
    }

    [Fact]
    public void An_id_taken_twice_stays_with_the_first_and_both_are_named()
    {
        var first = _folders.Copy("PrivateA", "first");
        _folders.Copy("SharesAnId", "second");

        using var catalog = _folders.Load();

        Assert.Equal([PluginState.Loaded, PluginState.Malfunctioned], catalog.Plugins.Select(p => p.State));
        Assert.Equal(first, catalog.Find("private-a").Plugin.Folder);
        var problem = Assert.Single(catalog.Plugins[1].Problems);
        Assert.Contains("'private_a'", problem.Found, StringComparison.Ordinal);
        Assert.Contains($"'PrivateA' ({first})", problem.Found, StringComparison.Ordinal);
        Assert.Equal(catalog.Plugins[1].Folder, problem.Where);
        Assert.Equal(["of-its-own"], catalog.Plugins[1].Methods);
    }

    [Fact]
    public void A_build_before_the_installed_one_shadows_it_which_is_no_fault()
    {
        var build = _folders.Copy("PrivateA", "bin/Debug/net10.0");
        var installed = _folders.Copy("PrivateA", "installed");

        using var catalog = PluginCatalog.Load(PluginFolders.At(build, installed));

        Assert.Equal([PluginState.Loaded, PluginState.Shadowed], catalog.Plugins.Select(p => p.State));
        Assert.Equal(["PrivateA", "PrivateA"], catalog.Plugins.Select(p => p.Name));
        var problem = Assert.Single(catalog.Plugins[1].Problems);
        Assert.Equal($"its method 'private-a' comes from 'PrivateA' ({build}) instead", problem.Found);
        Assert.Null(problem.Fix);
        Assert.Empty(catalog.Plugins[1].Methods);
        var unknown = Assert.Throws<MergeException>(() => catalog.Find("anything")).Diagnostics[0];
        Assert.DoesNotContain("failed", unknown.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_plugin_that_offers_nothing_new_is_shadowed_and_somebody_must_act()
    {
        var first = _folders.Copy("SharesAnId", "first");
        var second = _folders.Copy("PrivateA", "second");

        using var catalog = PluginCatalog.Load(PluginFolders.At(first, second));

        Assert.Equal(PluginState.Shadowed, catalog.Plugins[1].State);
        Assert.Contains("rename", Assert.Single(catalog.Plugins[1].Problems).Fix, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("private-a")]
    [InlineData("private_a")]
    [InlineData("private_b")]
    [InlineData("private-b")]
    public void Hyphen_and_underscore_are_the_same(string method)
    {
        _folders.Copy("PrivateA");
        _folders.Copy("PrivateB");

        using var catalog = _folders.Load();

        Assert.Equal(method.Replace('-', '_'), catalog.Find(method).Id.Replace('-', '_'));
    }

    [Fact]
    public void An_unknown_method_names_the_nearest_all_there_are_and_the_plugins_that_failed()
    {
        _folders.Copy("PrivateA");
        _folders.Copy("PrivateB");
        _folders.Copy("OldContract");
        using var catalog = _folders.Load();

        var error = Assert.Throws<MergeException>(() => catalog.Find("privat_a"));

        Assert.True(error.WrongUsage);
        var diagnostic = Assert.Single(error.Diagnostics);
        Assert.Equal("there is no merge method 'privat_a'", diagnostic.Found);
        Assert.Equal("one of private-a, private_b", diagnostic.Expected);
        Assert.Contains("Did you mean 'private-a'?", diagnostic.Fix, StringComparison.Ordinal);
        Assert.Contains("OldContract (IncompatibleContract)", diagnostic.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_name_with_nothing_near_is_told_how_plugins_are_had()
    {
        _folders.Copy("PrivateA");
        using var catalog = _folders.Load();

        const string Fix = "If a plugin brings it: `merge plugins install FOLDER`, or --plugin-path FOLDER for this run.";
        Assert.Equal(Fix, Assert.Single(Assert.Throws<MergeException>(() => catalog.Find("iso_c")).Diagnostics).Fix);
        var missing = Assert.Single(catalog.Missing("iso_c").Diagnostics);
        Assert.Equal(("there is no method, searcher or evaluator 'iso_c'", Fix), (missing.Found, missing.Fix));
    }

    [Fact]
    public void Places_without_plugins_are_warned_of()
    {
        var dll = Path.Combine(_folders.Copy("PrivateA"), "PrivateA.dll");
        var folders = PluginFolders.At(_folders.Empty("nothing"), Path.Combine(_folders.Root, "nowhere"), dll);

        Assert.Empty(folders.Folders);
        Assert.Equal(3, folders.Problems.Count);
        Assert.All(folders.Problems, w => Assert.Equal(Severity.Warning, w.Severity));
        Assert.Contains("nowhere", folders.Problems[1].Found, StringComparison.Ordinal);
        Assert.Equal("Give the folder it lies in.", folders.Problems[2].Fix);
    }

    [Fact]
    public void A_place_above_a_built_plugin_names_it_and_neither_its_tests_nor_what_the_compiler_keeps()
    {
        _folders.Copy("PrivateA", "Foo/Foo/bin/Release/net10.0");
        _folders.Copy("PrivateA", "Foo/Foo/obj/Release/net10.0");
        var tests = _folders.Empty("Foo/Foo.Tests/bin/Debug/net10.0");
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory, "Host.Tests.*"))
            File.Copy(file, Path.Combine(tests, Path.GetFileName(file)));
        var place = Path.Combine(_folders.Root, "Foo");

        var warning = Assert.Single(PluginFolders.At(place).Problems);

        Assert.Equal($"'{place}' holds no plugin", warning.Found);
        Assert.Equal($"Did you mean '{place}/Foo/bin/Release/net10.0'?", warning.Fix);
    }

    [Fact]
    public void The_main_assembly_is_the_one_described_then_the_only_one_then_the_one_named_as_the_folder()
    {
        var described = _folders.Copy("PrivateA", "described");
        var named = _folders.Copy("PrivateA", "PrivateA", "PrivateA.deps.json");
        var unclear = _folders.Copy("PrivateA", "unclear", "PrivateA.deps.json");
        var gone = _folders.Copy("PrivateA", "gone", "PrivateA.dll");

        Assert.Equal("PrivateA.dll", Path.GetFileName(PluginAssembly.Find(described)));
        Assert.Equal("PrivateA.dll", Path.GetFileName(PluginAssembly.Find(named)));
        Assert.Contains("unclear.dll", Refusal(unclear).Expected, StringComparison.Ordinal);
        Assert.Contains("PrivateA.dll is missing", Refusal(gone).Found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("teis", "ties")]
    [InlineData("Task-Arithmetic", "task_arithmetic")]
    [InlineData("slrp", "slerp")]
    [InlineData("mean", null)]
    public void The_nearest_match_is_near_or_none(string typed, string? meant) =>
        Assert.Equal(meant, NearestMatch.Of(typed, ["linear", "slerp", "task_arithmetic", "ties"]));

    private static Diagnostic Refusal(string folder) =>
        Assert.Single(Assert.Throws<MergeException>(() => PluginAssembly.Find(folder)).Diagnostics);
}

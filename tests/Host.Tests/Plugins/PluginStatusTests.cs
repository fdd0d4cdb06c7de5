using System.Text;
using Merge.Plugins;
using Merge.Sdk;

namespace Host.Tests.Plugins;

public sealed class PluginStatusTests : IDisposable
{
    private readonly TestPluginFolders _folders = new();

    public void Dispose() => _folders.Dispose();

    [Fact]
    public void A_sound_plugin_is_loaded_with_version_contract_and_digest()
    {
        var folder = _folders.Copy("PrivateA");

        var plugin = Only();

        Assert.Equal(PluginState.Loaded, plugin.State);
        Assert.Empty(plugin.Problems);
        Assert.Equal(["private-a"], plugin.Methods);
        Assert.Equal("0.1.0", plugin.Version);
        Assert.Equal(new Version(1, 0), plugin.Contract);
        Assert.Equal(folder, plugin.Folder);
        Assert.Equal(64, plugin.Digest.Length);
    }

    [Fact]
    public void The_digest_changes_with_a_byte_a_name_and_a_boundary_and_with_nothing_else()
    {
        var first = _folders.WithFile("first", "ab", "c"u8.ToArray());
        var same = _folders.WithFile("same", "ab", "c"u8.ToArray());
        var otherByte = _folders.WithFile("byte", "ab", "d"u8.ToArray());
        var otherBoundary = _folders.WithFile("boundary", "a", "bc"u8.ToArray());

        Assert.Equal(PluginDigest.Of(first), PluginDigest.Of(same));
        Assert.Equal(3, new[] { first, otherByte, otherBoundary }.Select(PluginDigest.Of).Distinct().Count());
    }

    [Fact]
    public void A_plugin_of_an_earlier_contract_is_incompatible()
    {
        _folders.Copy("OldContract");

        var plugin = Only();

        Assert.Equal(PluginState.IncompatibleContract, plugin.State);
        Assert.Equal(new Version(0, 9), plugin.Contract);
        Refused(plugin, Actor.PluginAuthor, "contract 0.9");
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public void A_plugin_of_a_later_contract_is_incompatible(string contract)
    {
        _folders.WithFile("later", "later.dll", BareAssembly.ReferringTo("Merge.Sdk", new Version(contract + ".0.0")));

        var plugin = Only();

        Assert.Equal(PluginState.IncompatibleContract, plugin.State);
        Refused(plugin, Actor.PluginAuthor, $"contract {contract}");
        Assert.Contains("Update merge", plugin.Problems[0].Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dependency_that_is_not_in_the_folder_is_named()
    {
        _folders.Copy("MissingDependency");

        var plugin = Only();

        Assert.Equal(PluginState.MissingDependency, plugin.State);
        Refused(plugin, Actor.PluginAuthor, "Shared.Library 1.0.0");
    }

    [Theory]
    [InlineData("Shared.Base.dll")]
    [InlineData("Shared.Base.dll", "PrivateB.deps.json")]
    public void A_dependency_of_a_dependency_that_is_not_in_the_folder_is_named(params string[] without)
    {
        _folders.Copy("PrivateB", null, without);

        var plugin = Only();

        Assert.Equal(PluginState.MissingDependency, plugin.State);
        Refused(plugin, Actor.PluginAuthor, "Shared.Base");
    }

    [Fact]
    public void A_private_library_in_the_wrong_version_names_the_type_it_lacks()
    {
        var folder = _folders.Copy("PrivateB", null, "Shared.Library.dll");
        File.WriteAllBytes(Path.Combine(folder, "Shared.Library.dll"), LibraryVersion2WithoutItsType());

        var plugin = Only();

        Assert.Equal(PluginState.Malfunctioned, plugin.State);
        Refused(plugin, Actor.PluginAuthor, "Shared.Library");
    }

    [Fact]
    public void Every_class_that_cannot_be_set_up_is_named_and_the_sound_one_works()
    {
        _folders.Copy("Throws");

        using var catalog = _folders.Load();
        var plugin = Assert.Single(catalog.Plugins);

        Assert.Equal(PluginState.Malfunctioned, plugin.State);
        Assert.Equal(["throws-in-plan", "wrong-axis"], plugin.Methods);
        Assert.All(plugin.Problems, p => Assert.Equal(Actor.PluginAuthor, p.Actor));
        Assert.Equal(
            [
                "AsksForWhatTheHostHasNot: its constructor asks for System.IFormatProvider, which the host does not offer",
                "HasABadId: its id is 'Bad Id'",
                "HasNoInfo: its Info is null",
                "TakesAtLeastThreeAtMostTwo: 'three-to-two' takes 3 to 2 models",
                "ThrowsInConstructor: it throws InvalidOperationException when it is set up: no constructor today",
                "ThrowsInInfo: it throws InvalidOperationException when it is set up: no info today",
                "ThrowsInStaticConstructor: it throws InvalidOperationException when it is set up: no static state today",
            ],
            plugin.Problems.Where(p => p.Found.StartsWith("class ", StringComparison.Ordinal)).Select(
                p => p.Found["class ".Length..].Replace(" cannot be used", null, StringComparison.Ordinal)));
        Assert.Equal("throws-in-plan", catalog.Find("throws_in_plan").Id);
    }

    [Fact]
    public void Options_that_cannot_work_are_told_with_the_method_before_anyone_uses_it()
    {
        _folders.Copy("Throws");

        var fault = Assert.Single(Only().Problems, p => p.Found.StartsWith("method ", StringComparison.Ordinal));

        Assert.Equal(
            "method 'bad-bounds' cannot be used: TestPlugins.Throws.BadBounds.Alpha: its bounds '[0; 10]' are no interval", fault.Found);
        Assert.Equal(("for example \"[0, 1]\" or \"(0, inf)\"", Actor.PluginAuthor), (fault.Expected, fault.Actor));
    }

    [Fact]
    public void An_assembly_that_does_not_know_the_sdk_is_no_plugin()
    {
        _folders.Copy("NotAPlugin");

        Refused(Only(), Actor.User, "not a plugin");
    }

    [Fact]
    public void A_plugin_without_a_strategy_says_so()
    {
        _folders.WithFile("bare", "bare.dll", BareAssembly.ReferringTo("Merge.Sdk", new Version(1, 0, 0, 0)));

        var plugin = Only();

        Refused(plugin, Actor.PluginAuthor, "no public strategy");
        Assert.Equal("1.2.3", plugin.Version);
    }

    [Fact]
    public void The_output_of_a_test_project_is_the_users_to_correct_and_the_plugin_beside_it_is_named()
    {
        var plugin = _folders.Copy("PrivateA", "PrivateA/bin/Release/net10.0");
        var tests = _folders.Copy("PrivateA", "PrivateA.Tests/bin/Debug/net10.0", "PrivateA.deps.json");
        File.WriteAllBytes(
            Path.Combine(tests, "PrivateA.Tests.dll"), BareAssembly.ReferringTo("Merge.Sdk", new Version(1, 0, 0, 0), isProgram: true));
        File.WriteAllText(Path.Combine(tests, "PrivateA.Tests.deps.json"), """
            {"runtimeTarget": {"name": ".NETCoreApp,Version=v10.0"}, "targets": {".NETCoreApp,Version=v10.0": {}}, "libraries": {}}
            """);

        using var catalog = PluginCatalog.Load(PluginFolders.At(tests));

        var status = Assert.Single(catalog.Plugins);
        Refused(status, Actor.User, "it is the output of a program or a test project, and no plugin");
        Assert.Equal($"Did you mean '{plugin}'?", status.Problems[0].Fix);
    }

    [Fact]
    public void A_plugin_whose_classes_are_not_public_names_them()
    {
        _folders.Copy("Hidden");

        var plugin = Only();

        Refused(plugin, Actor.PluginAuthor, "classes HiddenSearcher, HiddenStrategy are not public");
        Assert.Equal("Make them public, and what they are nested in.", plugin.Problems[0].Fix);
    }

    [Fact]
    public void Files_that_are_no_assembly_are_refused_one_by_one()
    {
        var sound = TestPluginFolders.Dll("PrivateA");
        _folders.WithFile("a-text", "a-text.dll", Encoding.UTF8.GetBytes("not a dll"));
        _folders.WithFile("b-empty", "b-empty.dll", []);
        _folders.WithFile("c-cut", "c-cut.dll", sound[..(sound.Length / 2)]);
        var contract = new Version(1, 0, 0, 0);
        _folders.WithFile("d-mixed", "d-mixed.dll", BareAssembly.ReferringTo("Merge.Sdk", contract, default));
        _folders.WithFile("e-elf", "e-elf.dll", [0x7f, (byte)'E', (byte)'L', (byte)'F', .. new byte[200]]);
        _folders.Copy("PrivateA", "f-sound");

        using var catalog = _folders.Load();

        Assert.Equal(
            ["a-text", "b-empty", "c-cut", "d-mixed", "e-elf", "PrivateA"], catalog.Plugins.Select(p => p.Name));
        Assert.All(catalog.Plugins.SkipLast(1), p => Refused(p, Actor.PluginAuthor, ""));
        Assert.Equal("private-a", catalog.Find("private-a").Id);
    }

    [Fact]
    public void An_assembly_cut_anywhere_never_throws()
    {
        var sound = TestPluginFolders.Dll("Throws");
        for (var length = 0; length < sound.Length; length += 97)
            _folders.WithFile($"cut-{length}", "cut.dll", sound[..length]);

        using var catalog = _folders.Load();

        Assert.All(catalog.Plugins, p => Assert.NotEmpty(p.Problems));
    }

    private PluginStatus Only()
    {
        using var catalog = _folders.Load();
        return Assert.Single(catalog.Plugins);
    }

    private static void Refused(PluginStatus plugin, Actor actor, string found)
    {
        Assert.NotEqual(PluginState.Loaded, plugin.State);
        Assert.Empty(plugin.Methods);
        var problem = Assert.Single(plugin.Problems);
        Assert.Equal(actor, problem.Actor);
        Assert.Contains(found, problem.Found, StringComparison.Ordinal);
    }

    // The name of the type in the metadata, misspelt: the same assembly, of which a type was renamed.
    private static byte[] LibraryVersion2WithoutItsType()
    {
        var dll = TestPluginFolders.Dll("PrivateB", "Shared.Library");
        dll[dll.AsSpan().IndexOf("AddedInVersion2"u8)] = (byte)'B';
        return dll;
    }
}

using System.Text.Json;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>Plugins of others: what is wrong with one is told, and is wrong with none of the rest.</summary>
public sealed class PluginTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public PluginTests()
    {
        TinyCheckpoint.Write(_scratch["a"], TinyTensor.Of("F32", "layers.0.w", [1], 1));
        TinyCheckpoint.Write(_scratch["b"], TinyTensor.Of("F32", "layers.0.w", [1], 2));
    }

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void A_plugin_that_throws_is_blamed_with_the_tensor_and_nothing_is_left()
    {
        _scratch.Refuses(
            1,
            ["throws-in-plan threw InvalidOperationException: a fault of the plugin", "layers.0.w", "--verbose"],
            "run", _scratch.Recipe("throws-in-plan", "a b"), "out", "--plugins", Folder("Throws"));
    }

    [Fact]
    public void With_verbose_the_place_in_its_code_is_shown_and_nobody_is_asked_to_ask_again()
    {
        var outcome = _scratch.Merge("run", _scratch.Recipe("throws-in-plan", "a b"), "out", "--plugins", Folder("Throws"), "--verbose");
        Assert.Contains("TestPlugins.Throws.ThrowsInPlan.Plan(", outcome.Error);
        Assert.DoesNotContain("Run again", outcome.Error);
    }

    [Fact]
    public void Plugins_are_found_in_the_folders_of_the_environment()
    {
        var recipe = _scratch.Recipe("throws-in-plan", "a b");
        var places = string.Join(Path.PathSeparator, Folder("PrivateA"), Folder("Throws"));
        using var process = MergeProcess.Start(
            MergeProcess.Program, _scratch["."], new() { ["MERGE_PLUGINS"] = places }, "run", recipe, "out");
        var outcome = process.Wait();
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("a fault of the plugin", outcome.Error);
    }

    [Fact]
    public void Every_plugin_is_listed_with_its_state_and_reason()
    {
        var json = _scratch.Succeeds("plugins", "--json", "--plugins", MergeProcess.TestPlugins).Json;
        var plugins = json.GetProperty("plugins").EnumerateArray()
            .ToDictionary(p => p.GetProperty("name").GetString()!);
        Assert.Equal("Loaded", Status("uniform"));
        Assert.Equal("Loaded", Status("PrivateA"));
        Assert.Equal("Loaded", Status("PrivateB"));
        Assert.Equal("IncompatibleContract", Status("OldContract"));
        Assert.Contains("contract 0.9", Reasons("OldContract"));
        Assert.Equal("MissingDependency", Status("MissingDependency"));
        Assert.Contains("Shared.Library", Reasons("MissingDependency"));
        Assert.Equal("Malfunctioned", Status("NotAPlugin"));
        Assert.Equal("Malfunctioned", Status("Throws"));
        Assert.Contains("no constructor today", Reasons("Throws"));
        Assert.Equal(["throws-in-plan", "wrong-axis"], Methods("Throws"));
        Assert.Contains("linear", Methods("uniform"));
        Assert.Contains("row_softmax", Methods("Merge.TestPlugins.Strategies"));
        Assert.Contains("not public", Reasons("Hidden"));

        string Status(string name) => plugins[name].GetProperty("status").GetString()!;
        string Reasons(string name) => plugins[name].GetProperty("problems").ToString();
        string[] Methods(string name) =>
            [.. plugins[name].GetProperty("methods").EnumerateArray().Select(m => m.GetString()!)];
    }

    [Fact]
    public void The_list_is_readable_and_the_old_plugin_hides_no_other()
    {
        var lines = _scratch.Succeeds("plugins", "--plugins", MergeProcess.TestPlugins).Out.Split('\n');
        Assert.Contains(lines, l => l.StartsWith("OldContract") && l.Contains("built against contract 0.9; expected"));
        Assert.Contains(lines, l => l.StartsWith("uniform") && l.Contains("Loaded") && l.Contains("linear"));
        Assert.Contains(lines, l => l.StartsWith("Merge.TestPlugins.Strategies") && l.Contains("curvature_graft, row_softmax"));
    }

    [Fact]
    public void A_merge_runs_beside_broken_plugins() =>
        _scratch.Succeeds("run", _scratch.Recipe("linear", "a=1 b=1"), "out", "--plugins", MergeProcess.TestPlugins);

    [Fact]
    public void A_method_that_may_be_in_a_failed_plugin_points_there() => _scratch.Refuses(
        2, ["no merge method 'old'", "OldContract (IncompatibleContract)", "merge plugins"],
        "run", _scratch.Recipe("old", "a b"), "out", "--plugins", Folder("OldContract"));

    [Theory]
    [InlineData("OldContract", "contract 0.9")]
    [InlineData("MissingDependency", "Shared.Library")]
    [InlineData("Throws", "no constructor today")]
    public void A_plugin_that_could_not_be_used_is_not_installed(string plugin, string reason)
    {
        _scratch.Refuses(1, [$"'{plugin}' is not installed", reason], "plugins", "install", Folder(plugin));
        Assert.Contains("no plugins are installed", _scratch.Succeeds("plugins", "verify").Out);
    }

    [Fact]
    public void An_unknown_plugin_to_remove_or_trust_is_named_with_the_nearest()
    {
        _scratch.Succeeds("plugins", "install", Folder("PrivateA"));
        _scratch.Refuses(2, ["no plugin 'PrivatA' is installed", "Did you mean 'PrivateA'?"], "plugins", "remove", "PrivatA");
        _scratch.Refuses(2, ["no plugin 'PrivatA' is installed", "Did you mean 'PrivateA'?"], "plugins", "trust", "PrivatA");
    }

    [Fact]
    public void A_place_that_was_named_and_has_no_plugins_stops_every_command_and_one_of_the_environment_is_warned_of()
    {
        var recipe = _scratch.Recipe("missing", "a b");
        Directory.CreateDirectory(_scratch["empty"]);
        foreach (var words in (string[][])
            [
                ["run", recipe, "out"], ["validate", recipe], ["explain", "missing"], ["search", recipe, "found"],
                ["soup", "a", "nowhere-at-all", "out", "--evaluate", "plugin:missing", "--maximize", "x"], ["plugins"],
            ])
        {
            var outcome = _scratch.Merge([.. words, "--plugin-path", "nowhere", "--plugin-path", "empty"]);
            Assert.Contains("error: there is no folder 'nowhere'\n  where:    --plugin-path", outcome.Error);
            Assert.Contains("error: 'empty' holds no plugin", outcome.Error);
            Assert.Equal(2, outcome.ExitCode);
        }
        using var process = MergeProcess.Start(
            MergeProcess.Program, _scratch["."], new() { ["MERGE_PLUGINS"] = "nowhere" }, "plugins");
        var listed = process.Wait();
        Assert.Equal(0, listed.ExitCode);
        Assert.Contains("warning: there is no folder 'nowhere'\n  where:    $MERGE_PLUGINS", listed.Error);
    }

    [Fact]
    public void A_wrong_or_refused_build_never_runs_the_installed_one_in_its_place()
    {
        _scratch.Succeeds("plugins", "install", Folder("PrivateA"));
        _scratch.Succeeds("plugins", "trust", "PrivateA");
        var recipe = _scratch.Recipe("private-a", "a b");
        _scratch.Refuses(2, ["there is no folder 'bin'", "--plugin-path"], "run", recipe, "out", "--plugin-path", "bin");
        var build = Directory.CreateDirectory(_scratch["build"]).FullName;
        foreach (var file in Directory.GetFiles(Folder("PrivateA")))
            File.Copy(file, Path.Combine(build, Path.GetFileName(file)));
        File.WriteAllText(Path.Combine(build, "new.txt"), "built anew");
        _scratch.Refuses(
            1, ["--trusted-only refuses a plugin of --plugin-path: PrivateA is pinned as", $"`merge plugins trust {build}`"],
            "run", recipe, "out", "--plugin-path", build, "--trusted-only");
        var listed = _scratch.Succeeds("plugins", "--json", "--plugin-path", build, "--trusted-only").Json;
        Assert.Contains("Untrusted", listed.GetProperty("plugins").EnumerateArray().Select(p => p.GetProperty("status").GetString()));
    }

    [Fact]
    public void Bad_options_of_one_plugin_stop_no_recipe_of_another_method()
    {
        var outcome = _scratch.Succeeds(
            "run", _scratch.Recipe("linear", "a=1 b=1", "parameters: {alpha: 1}\n"), "out", "--plugins", Folder("Throws"));
        Assert.Contains("'alpha' has no effect", outcome.Error);
        var listed = _scratch.Succeeds("plugins", "--plugins", Folder("Throws")).Out;
        Assert.Contains("method 'bad-bounds' cannot be used: TestPlugins.Throws.BadBounds.Alpha: its bounds '[0; 10]' are no interval", listed);
    }

    [Fact]
    public void A_fault_of_a_plugin_names_it_its_version_and_the_method()
    {
        _scratch.Refuses(
            1, ["along axis 5", "Throws 0.1.0 (method wrong-axis)", "--verbose"],
            "run", _scratch.Recipe("wrong-axis", "a b"), "out", "--plugins", Folder("Throws"));
        Assert.Contains(
            "to act:   the author of the plugin Throws 0.1.0 (method throws-in-plan)",
            _scratch.Merge("run", _scratch.Recipe("throws-in-plan", "a b"), "out", "--plugins", Folder("Throws")).Error);
    }

    [Fact]
    public void A_plugin_that_was_changed_behind_its_pin_is_warned_of_when_it_runs_and_uninstalled_by_either_word()
    {
        var folder = _scratch.Succeeds("plugins", "install", Folder("PrivateA"), "--json").Json.GetProperty("folder").GetString()!;
        _scratch.Succeeds("plugins", "trust", "PrivateA");
        var recipe = _scratch.Recipe("private-a", "a b");
        Assert.DoesNotContain("pinned", _scratch.Succeeds("run", recipe, "as-pinned").Error);
        File.AppendAllText(Path.Combine(folder, "PrivateA.dll"), "x");
        Assert.Contains("warning: PrivateA is pinned as ", _scratch.Succeeds("run", recipe, "changed").Error);
        Assert.Contains("PrivateA is removed", _scratch.Succeeds("plugins", "uninstall", "PrivateA").Out);
        Assert.DoesNotContain("uninstall", _scratch.Succeeds("plugins", "--help").Out);
    }

    [Fact]
    public void A_tampered_plugin_is_not_trusted_unless_its_digest_is_given()
    {
        var installed = _scratch.Succeeds("plugins", "install", Folder("PrivateA"), "--json").Json;
        var folder = installed.GetProperty("folder").GetString()!;
        _scratch.Succeeds("plugins", "trust", "PrivateA");
        Assert.Equal("yes", Listed("PrivateA").GetProperty("trusted").GetString());
        File.AppendAllText(Path.Combine(folder, "PrivateA.dll"), "x");
        var tampered = Listed("PrivateA");
        Assert.Equal("changed", tampered.GetProperty("trusted").GetString());
        var digest = tampered.GetProperty("sha256").GetString()!;
        foreach (var given in new[] { "PrivateA", folder })
        {
            _scratch.Refuses(
                1, ["'PrivateA' is not what was installed: PrivateA.dll is changed", "--replace", $"--sha256 {digest}"],
                "plugins", "trust", given);
        }
        _scratch.Refuses(
            2, ["the method 'private-a' comes from plugin PrivateA", "`merge plugins verify PrivateA` says what differs"],
            "run", _scratch.Recipe("private-a", "a b"), "out", "--trusted-only");
        _scratch.Succeeds("plugins", "trust", "PrivateA", "--sha256", digest);
        _scratch.Succeeds("run", _scratch.Recipe("private-a", "a b"), "out", "--trusted-only");
    }

    [Fact]
    public void The_same_plugin_installed_again_says_that_it_was_there()
    {
        Assert.StartsWith("PrivateA 0.1.0: private-a\n", _scratch.Succeeds("plugins", "install", Folder("PrivateA")).Out);
        Assert.StartsWith(
            "PrivateA 0.1.0 is already installed: private-a\n", _scratch.Succeeds("plugins", "install", Folder("PrivateA")).Out);
    }

    [Fact]
    public void A_build_is_listed_and_trusted_under_one_name_and_the_sdk_it_carries_is_told()
    {
        var build = Directory.CreateDirectory(_scratch["bin/Debug/net10.0"]).FullName;
        foreach (var file in Directory.GetFiles(Folder("PrivateA")))
            File.Copy(file, Path.Combine(build, Path.GetFileName(file)));
        File.Copy(Path.Combine(Path.GetDirectoryName(MergeProcess.Program)!, "Merge.Sdk.dll"), Path.Combine(build, "Merge.Sdk.dll"));
        var plugin = Listed("PrivateA", "--plugin-path", build);
        Assert.Equal("Loaded", plugin.GetProperty("status").GetString());
        Assert.Contains("Merge.Sdk.dll is not needed", plugin.GetProperty("notes").ToString());
        _scratch.Succeeds("plugins", "trust", build);
        _scratch.Succeeds("plugins", "trust", "PrivateA", "--revoke");
        _scratch.Refuses(2, ["'bin' holds no plugin itself", "Did you mean 'bin/Debug/net10.0'?"], "plugins", "trust", "bin");
        Assert.Contains(
            "warning: Merge.Sdk.dll is not needed: the host's is used", _scratch.Succeeds("plugins", "install", build).Error);
        _scratch.Refuses(2, ["'bin' holds no plugin itself", "Did you mean 'bin/Debug/net10.0'?"], "plugins", "install", "bin");
    }

    private JsonElement Listed(string plugin, params string[] more) =>
        _scratch.Succeeds(["plugins", "--json", .. more]).Json.GetProperty("plugins").EnumerateArray()
            .Single(p => p.GetProperty("name").GetString() == plugin);

    private static string Folder(string plugin) => Path.Combine(MergeProcess.TestPlugins, plugin);
}

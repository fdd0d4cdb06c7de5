using System.CommandLine;
using Merge.Plugins;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge plugins remove</c> and <c>verify</c>: what becomes of installed plugins.</summary>
internal static class PluginStoreCommands
{
    /// <param name="terminal">Where it says so.</param>
    /// <param name="command">Its name: other package managers have another.</param>
    public static Command Remove(Terminal terminal, string command = "remove")
    {
        var name = MergeOptions.NotEmpty(new Argument<string>("NAME") { Description = "An installed plugin." });
        var remove = new Command(command, "Remove an installed plugin, and its pin.") { name };
        remove.SetAction(parsed =>
        {
            var plugin = parsed.GetRequiredValue(name);
            Store().Remove(plugin);
            var pins = UserFolders.Require(UserFolders.TrustedPlugins);
            if (TrustedPlugins.Read(pins) is { } trusted && trusted.Pins.ContainsKey(plugin))
                trusted.Without(plugin).WriteTo(pins);
            if (terminal.IsJson)
                terminal.Json(json => json.WriteString("name", plugin));
            else
                terminal.Line($"{plugin} is removed");
            return 0;
        });
        return remove;
    }

    public static Command Verify(Terminal terminal)
    {
        var names = new Argument<string[]>("NAME")
        {
            Description = "Installed plugins; all of them where none is named.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("verify", "Compare installed plugins, file by file, with what was installed.") { names };
        command.SetAction(parsed =>
        {
            var store = Store();
            var asked = parsed.GetValue(names) is { Length: > 0 } some ? some : store.Names;
            foreach (var name in asked)
                store.Require(name);
            var findings = asked.SelectMany(name => store.Verify(name).Select(found => new Diagnostic($"{name}: {found}")
            {
                Where = store.FolderOf(name),
                Fix = "Install it again with --replace, from where you trust it.",
            })).ToArray();
            if (findings.Length > 0)
                throw new MergeException(findings);
            if (terminal.IsJson)
                terminal.Json(json => PluginsCommand.WriteNames(json, "unchanged", [.. asked]));
            else if (asked.Count == 0)
                terminal.Line("no plugins are installed");
            foreach (var name in asked)
                terminal.Line($"{name} is unchanged");
            return 0;
        });
        return command;
    }

    private static PluginStore Store() => new(UserFolders.Require(UserFolders.Plugins));
}

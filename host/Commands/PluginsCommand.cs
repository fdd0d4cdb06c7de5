using System.CommandLine;
using System.Text.Json;
using Merge.Plugins;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge plugins</c>: what was found, what it offers, and why some of it cannot be used.</summary>
internal static class PluginsCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = List(
            terminal, "plugins",
            "List the plugins of the host, of $MERGE_PLUGINS and those installed: what they offer, and why some failed to load.");
        command.Subcommands.Add(List(terminal, "list", "The same as 'merge plugins' alone."));
        command.Subcommands.Add(PluginInstallCommand.Create(terminal));
        command.Subcommands.Add(PluginStoreCommands.Remove(terminal));
        var uninstall = PluginStoreCommands.Remove(terminal, "uninstall");
        uninstall.Hidden = true;
        command.Subcommands.Add(uninstall);
        command.Subcommands.Add(PluginStoreCommands.Verify(terminal));
        command.Subcommands.Add(PluginTrustCommand.Create(terminal));
        return command;
    }

    private static Command List(Terminal terminal, string name, string description)
    {
        var folders = MergeOptions.Plugins();
        var command = new Command(name, description) { folders };
        command.SetAction(parsed =>
        {
            using var catalog = PluginOptions.LoadToList(parsed, terminal, folders);
            var trusted = PluginOptions.Pins(terminal);
            if (terminal.IsJson)
                PrintJson(terminal, catalog, trusted);
            else
                PrintTable(terminal, catalog, trusted);
            return 0;
        });
        return command;
    }

    private static void PrintTable(Terminal terminal, PluginCatalog catalog, TrustedPlugins trusted)
    {
        var table = new TerminalTable("plugin", "version", "status", "trusted", "offers", "reason");
        foreach (var plugin in catalog.Plugins)
        {
            table.Add(
                plugin.Name,
                plugin.Version ?? "-",
                plugin.State.ToString(),
                trusted.Standing(plugin),
                Offers(plugin),
                string.Join("; ", plugin.Problems.Concat(plugin.Notes).Select(Reason).DefaultIfEmpty("-")));
        }
        table.Write(terminal);
        if (!terminal.IsVerbose)
            return;
        foreach (var plugin in catalog.Plugins)
            terminal.Line($"{plugin.Name}: {plugin.Folder}, contract {plugin.Contract}, SHA-256 {plugin.Digest}");
    }

    public static string Offers(PluginStatus plugin)
    {
        string[] all =
        [
            .. plugin.Methods,
            .. plugin.Searchers.Select(s => $"{s} (searcher)"),
            .. plugin.Evaluators.Select(e => $"{e} (evaluator)"),
        ];
        return all.Length == 0 ? "-" : string.Join(", ", all);
    }

    private static string Reason(Diagnostic problem)
    {
        var text = problem.Expected is null ? problem.Found : $"{problem.Found}; expected {problem.Expected}";
        if (problem.Actor == Actor.PluginAuthor)
            text += " (for the plugin's author)";
        return problem.Fix is null ? text : $"{text}: {problem.Fix.TrimEnd('.')}";
    }

    private static void PrintJson(Terminal terminal, PluginCatalog catalog, TrustedPlugins trusted) => terminal.Json(json =>
    {
        json.WriteStartArray("plugins");
        foreach (var plugin in catalog.Plugins)
        {
            json.WriteStartObject();
            json.WriteString("name", plugin.Name);
            json.WriteString("folder", plugin.Folder);
            json.WriteString("version", plugin.Version);
            json.WriteString("contract", plugin.Contract?.ToString());
            json.WriteString("status", plugin.State.ToString());
            json.WriteString("sha256", plugin.Digest);
            json.WriteString("trusted", trusted.Standing(plugin));
            WriteNames(json, "methods", plugin.Methods);
            WriteNames(json, "searchers", plugin.Searchers);
            WriteNames(json, "evaluators", plugin.Evaluators);
            JsonText.Write(json, "problems", plugin.Problems);
            JsonText.Write(json, "notes", plugin.Notes);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    public static void WriteNames(Utf8JsonWriter json, string property, IReadOnlyList<string> names)
    {
        json.WriteStartArray(property);
        foreach (var name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
    }
}

using System.CommandLine;
using Merge.Plugins;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge plugins install FOLDER|ZIP</c>: a plugin of others, put where every later command finds it.</summary>
internal static class PluginInstallCommand
{
    public static Command Create(Terminal terminal)
    {
        var source = MergeOptions.NotEmpty(new Argument<string>("PLUGIN")
        {
            Description = "The folder a plugin was built into, or a zip of it.",
        });
        var replace = new Option<bool>("--replace") { Description = "Put it in the place of one of its name." };
        var command = new Command("install", $"Install a plugin for this user. {TrustedPlugins.Statement}") { source, replace };
        command.SetAction(parsed =>
        {
            // Before its code runs: it is asked for what it offers.
            terminal.Note(TrustedPlugins.Statement);
            var store = new PluginStore(UserFolders.Require(UserFolders.Plugins));
            PluginStatus? offered = null;
            var given = parsed.GetRequiredValue(source);
            var (receipt, wasThere) = store.Install(
                given, parsed.GetValue(replace), folder => offered = Look(parsed, terminal, folder, given));
            foreach (var note in offered!.Notes)
                terminal.Warn(note with { Where = given });
            Print(terminal, store.FolderOf(receipt.Name), receipt, offered, wasThere);
            return 0;
        });
        return command;
    }

    /// <summary>Loads a staged plugin beside the host's own.</summary>
    private static PluginStatus Look(ParseResult parsed, Terminal terminal, string folder, string source)
    {
        var own = PluginFolders.Default().Folders.Where(PluginFolders.IsOwn);
        using var catalog = PluginOptions.Load(parsed, terminal, new PluginFolders([.. own, folder], []));
        var status = catalog.Plugins[^1];
        if (status.State == PluginState.Loaded)
            return status;
        // Of a place that nobody has named, and that is gone by then.
        var fix = status.State == PluginState.Untrusted ? "Leave --trusted-only out, or pin its folder first: `merge plugins trust FOLDER`." : null;
        throw new MergeException(
        [
            .. status.Problems.Select(p => p with
            {
                Severity = Severity.Error,
                Found = $"'{status.Name}' is not installed: {p.Found}",
                Where = source,
                Fix = fix ?? (p.Found == ProgramOutput.Found && Directory.Exists(source) ? ProgramOutput.Question(Path.GetFullPath(source)) : p.Fix),
            }),
        ])
        {
            WrongUsage = status.Problems.All(p => p.Found == ProgramOutput.Found),
        };
    }

    private static void Print(Terminal terminal, string folder, PluginReceipt receipt, PluginStatus offered, bool wasThere)
    {
        if (!terminal.IsJson)
        {
            terminal.Line($"{receipt.Name} {receipt.Version}{(wasThere ? " is already installed" : "")}: {PluginsCommand.Offers(offered)}");
            terminal.Line($"{receipt.Files.Count} files, contract {offered.Contract}, SHA-256 {receipt.Digest}");
            terminal.Line(folder);
            return;
        }
        terminal.Json(json =>
        {
            json.WriteString("name", receipt.Name);
            json.WriteString("version", receipt.Version);
            json.WriteString("contract", offered.Contract?.ToString());
            json.WriteString("folder", folder);
            json.WriteString("sha256", receipt.Digest);
            json.WriteBoolean("already_installed", wasThere);
            PluginsCommand.WriteNames(json, "methods", offered.Methods);
            PluginsCommand.WriteNames(json, "searchers", offered.Searchers);
            PluginsCommand.WriteNames(json, "evaluators", offered.Evaluators);
            PluginsCommand.WriteNames(json, "files", [.. receipt.Files.Keys]);
            json.WriteString("notice", TrustedPlugins.Statement);
        });
    }
}

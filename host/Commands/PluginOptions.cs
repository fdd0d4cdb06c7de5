using System.CommandLine;
using Merge.Plugins;

namespace Merge.Commands;

/// <summary>Loads the plugins a command line asks for.</summary>
internal static class PluginOptions
{
    /// <summary>Warns of places without plugins at once: what is missing later may have been meant to be there.</summary>
    /// <param name="parsed">Says whether only trusted ones.</param>
    /// <param name="terminal">Where warnings go.</param>
    /// <param name="folders">The command's option for further places; null where it has none.</param>
    public static PluginCatalog Load(ParseResult parsed, Terminal terminal, Option<string[]>? folders = null) =>
        Load(parsed, terminal, PluginFolders.Default(folders is null ? [] : parsed.GetValue(folders) ?? []));

    public static PluginCatalog Load(ParseResult parsed, Terminal terminal, PluginFolders folders)
    {
        foreach (var warning in folders.Warnings)
            terminal.Warn(warning);
        return PluginCatalog.Load(folders, only: parsed.GetValue(GlobalOptions.TrustedOnly) ? Trusted() : null);
    }

    /// <exception cref="Sdk.MergeException">The user has no home, or the pins are damaged.</exception>
    private static TrustedPlugins Trusted() => TrustedPlugins.Read(UserFolders.Require(UserFolders.TrustedPlugins)) with
    {
        Installed = UserFolders.Plugins is { } store ? new(store) : null,
    };
}

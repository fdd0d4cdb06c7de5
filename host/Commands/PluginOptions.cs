using System.CommandLine;
using Merge.Plugins;

namespace Merge.Commands;

/// <summary>Loads the plugins a command line asks for.</summary>
internal static class PluginOptions
{
    /// <param name="parsed">Says whether only trusted ones.</param>
    /// <param name="folders">The command's option for further places; null where it has none.</param>
    public static PluginCatalog Load(ParseResult parsed, Option<string[]>? folders = null) =>
        Load(parsed, PluginFolders.Default(folders is null ? [] : parsed.GetValue(folders) ?? []));

    public static PluginCatalog Load(ParseResult parsed, PluginFolders folders) => PluginCatalog.Load(
        folders,
        only: parsed.GetValue(GlobalOptions.TrustedOnly)
            ? TrustedPlugins.Read(UserFolders.Require(UserFolders.TrustedPlugins))
            : null);
}

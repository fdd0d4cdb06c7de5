using System.CommandLine;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary>Loads the plugins a command line asks for.</summary>
internal static class PluginOptions
{
    /// <summary>Warns of places without plugins at once: what is missing later may have been meant to be there.</summary>
    /// <param name="parsed">Says whether only trusted ones.</param>
    /// <param name="terminal">Where warnings go.</param>
    /// <param name="folders">The command's option for further places; null where it has none.</param>
    /// <exception cref="MergeException">What was named for this run is no plugin, or is refused: an older one may have run in its place.</exception>
    public static PluginCatalog Load(ParseResult parsed, Terminal terminal, Option<string[]>? folders = null)
    {
        var catalog = LoadToList(parsed, terminal, folders, out var found);
        if (Refusals(catalog, found) is { Count: > 0 } refusals)
        {
            catalog.Dispose();
            throw new MergeException(refusals);
        }
        if (!parsed.GetValue(GlobalOptions.TrustedOnly))
        {
            foreach (var changed in Pins(terminal).Changed(catalog.Plugins))
                terminal.Warn(changed);
        }
        return catalog;
    }

    /// <summary>As <see cref="Load(ParseResult, Terminal, Option{string[]}?)"/>; what is refused is in the catalog, with its reason.</summary>
    /// <exception cref="MergeException">A place that was named for this run holds no plugin.</exception>
    public static PluginCatalog LoadToList(ParseResult parsed, Terminal terminal, Option<string[]> folders) =>
        LoadToList(parsed, terminal, folders, out _);

    public static PluginCatalog Load(ParseResult parsed, Terminal terminal, PluginFolders folders)
    {
        foreach (var warning in folders.Problems.Where(p => p.Severity == Severity.Warning))
            terminal.Warn(warning);
        Diagnostic[] errors = [.. folders.Problems.Where(p => p.Severity == Severity.Error)];
        if (errors.Length > 0)
            throw new MergeException(errors) { WrongUsage = true };
        return PluginCatalog.Load(
            folders, only: parsed.GetValue(GlobalOptions.TrustedOnly) ? Trusted() : null, optionFaults: OptionsSchema.Faults);
    }

    private static PluginCatalog LoadToList(ParseResult parsed, Terminal terminal, Option<string[]>? folders, out PluginFolders found)
    {
        found = PluginFolders.Default(folders is null ? [] : parsed.GetValue(folders) ?? []);
        return Load(parsed, terminal, found);
    }

    private static List<Diagnostic> Refusals(PluginCatalog catalog, PluginFolders folders) =>
    [
        .. catalog.Plugins.Where(p => p.State == PluginState.Untrusted && folders.Named.Contains(p.Folder)).SelectMany(p => p.Problems)
            .Select(p => p with { Found = $"--trusted-only refuses a plugin of --plugin-path: {p.Found}" }),
    ];

    /// <summary>The pins; damaged ones are worth a warning, and no reason to do nothing.</summary>
    public static TrustedPlugins Pins(Terminal terminal)
    {
        try
        {
            if (UserFolders.TrustedPlugins is { } pins)
                return TrustedPlugins.Read(pins) with { Installed = Installed };
        }
        catch (MergeException damaged)
        {
            foreach (var problem in damaged.Diagnostics)
                terminal.Warn(problem with { Severity = Severity.Warning });
        }
        return new(new Dictionary<string, string>());
    }

    private static PluginStore? Installed => UserFolders.Plugins is { } store ? new(store) : null;

    /// <exception cref="MergeException">The user has no home, or the pins are damaged.</exception>
    private static TrustedPlugins Trusted() =>
        TrustedPlugins.Read(UserFolders.Require(UserFolders.TrustedPlugins)) with { Installed = Installed };
}

using System.CommandLine;
using Merge.Plugins;
using Merge.Sdk;

namespace Merge.Commands;

/// <summary><c>merge plugins trust NAME|FOLDER</c>: pins the exact bytes of a plugin for <c>--trusted-only</c>.</summary>
internal static class PluginTrustCommand
{
    public static Command Create(Terminal terminal)
    {
        var plugin = MergeOptions.NotEmpty(new Argument<string>("PLUGIN") { Description = "An installed plugin, or a plugin folder." });
        var expected = new Option<string?>("--sha256")
        {
            Description = "The digest its author publishes: any other is refused. Needed for an installed plugin whose files were changed since.",
            HelpName = "HEX",
        };
        var revoke = new Option<bool>("--revoke") { Description = "Take the pin away." };
        var command = new Command(
            "trust", "Pin a plugin's SHA-256: with --trusted-only, it and the host's own plugins are loaded, and no other. "
            + "A plugin that is built or installed anew is another one.")
        {
            plugin, expected, revoke,
        };
        command.SetAction(parsed =>
        {
            var path = UserFolders.Require(UserFolders.TrustedPlugins);
            var trusted = TrustedPlugins.Read(path);
            var given = parsed.GetRequiredValue(plugin);
            if (parsed.GetValue(revoke))
            {
                var name = trusted.Pins.ContainsKey(given) || !Directory.Exists(given) ? given : NameOf(given);
                if (!trusted.Pins.ContainsKey(name))
                    throw Unknown($"'{name}' is not trusted", path, trusted.Pins.Keys);
                trusted.Without(name).WriteTo(path);
                Print(terminal, name, null);
                return 0;
            }
            var folder = Folder(given);
            var digest = PluginDigest.Of(folder);
            var published = parsed.GetValue(expected);
            if (published is null)
                RequireAsInstalled(folder, digest);
            else if (!published.Equals(digest, StringComparison.OrdinalIgnoreCase))
            {
                throw new MergeException(new Diagnostic($"its SHA-256 is {digest}")
                {
                    Where = folder,
                    Expected = published,
                    Fix = "It is not the plugin that digest is of: do not trust it.",
                });
            }
            trusted.With(NameOf(folder), digest).WriteTo(path);
            Print(terminal, NameOf(folder), digest);
            return 0;
        });
        return command;
    }

    private static string Folder(string given)
    {
        var store = UserFolders.Plugins is { } root ? new PluginStore(root) : null;
        if (store is not null && store.Names.Contains(given))
            return store.FolderOf(given);
        if (!Directory.Exists(given))
        {
            throw Unknown(
                $"no plugin '{given}' is installed, and there is no such folder", UserFolders.Plugins, store?.Names ?? []);
        }
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(given));
        PluginSource.RequirePlugin(folder, given);
        return folder;
    }

    /// <summary>What was changed behind merge's back is not to be pinned by the way.</summary>
    /// <exception cref="MergeException">It is installed, and not what was installed.</exception>
    private static void RequireAsInstalled(string folder, string digest)
    {
        if (UserFolders.Plugins is not { } root || new PluginStore(root) is var store && !store.Holds(folder))
            return;
        var name = Path.GetFileName(folder);
        if (store.Verify(name) is not { Count: > 0 } differences)
            return;
        throw new MergeException(new Diagnostic($"'{name}' is not what was installed: {string.Join(", ", differences)}")
        {
            Where = folder,
            Expected = store.ReceiptOf(name, digest) is { } receipt ? $"SHA-256 {receipt.Digest}" : null,
            Fix = $"Install it again with --replace, from where you trust it; or, to pin what is there, add --sha256 {digest}.",
        });
    }

    private static string NameOf(string folder) => Path.GetFileNameWithoutExtension(PluginAssembly.Find(
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))));

    private static MergeException Unknown(string found, string? where, IEnumerable<string> names) => new(new Diagnostic(found)
    {
        Where = where,
        Expected = names.Any() ? $"one of {string.Join(", ", names)}" : null,
        Fix = NearestMatch.Question(found.Split('\'')[1], names),
    })
    { WrongUsage = true };

    private static void Print(Terminal terminal, string name, string? digest)
    {
        if (terminal.IsJson)
        {
            terminal.Json(json =>
            {
                json.WriteString("name", name);
                json.WriteString("sha256", digest);
            });
            return;
        }
        terminal.Line(digest is null ? $"{name} is not trusted any more" : $"{name} is trusted as SHA-256 {digest}");
    }
}

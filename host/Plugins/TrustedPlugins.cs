using System.Text.Json;
using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>
/// Plugins whose exact bytes a user has pinned, for jobs that nobody watches: with <c>--trusted-only</c> nothing else but the
/// host's own is loaded.
/// </summary>
/// <param name="Pins">SHA-256 of a plugin folder by the plugin's name.</param>
internal sealed record TrustedPlugins(IReadOnlyDictionary<string, string> Pins)
{
    /// <summary>Where installed plugins are, whose receipts tell more of those that are refused; null: there are none.</summary>
    public PluginStore? Installed { get; init; }

    /// <summary>What load contexts do, and what they do not: for whoever installs a plugin.</summary>
    public const string Statement =
        "A plugin's code runs as you, with all your rights. A load context keeps its libraries apart from others'; it is no sandbox. "
        + "Install only what you trust.";

    /// <summary>Reads the pins; none where there is no file.</summary>
    /// <exception cref="MergeException">The file is damaged.</exception>
    public static TrustedPlugins Read(string path)
    {
        if (!File.Exists(path))
            return new(new Dictionary<string, string>());
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return new(json.RootElement.GetProperty("plugins").EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.GetString() ?? ""));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new MergeException(new Diagnostic("the pins of trusted plugins cannot be read")
            {
                Where = path,
                Expected = """{"plugins": {"name": "sha256"}}""",
                Fix = "Remove the file, and trust the plugins again.",
            });
        }
    }

    public TrustedPlugins With(string name, string digest) =>
        this with { Pins = new Dictionary<string, string>(Pins) { [name] = digest } };

    public TrustedPlugins Without(string name) => this with { Pins = Pins.Where(p => p.Key != name).ToDictionary() };

    /// <summary>Replaces the file as a whole.</summary>
    public void WriteTo(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = path + ".new";
        using (var file = File.Create(temporary))
        {
            using (var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true }))
            {
                json.WriteStartObject();
                json.WriteStartObject("plugins");
                foreach (var (name, digest) in Pins.OrderBy(p => p.Key, StringComparer.Ordinal))
                    json.WriteString(name, digest);
                json.WriteEndObject();
                json.WriteEndObject();
            }
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>In a word: <c>own</c> (comes with the host), <c>yes</c>, <c>no</c>, <c>changed</c> (installed, and not as it was pinned).</summary>
    public string Standing(PluginStatus plugin)
    {
        if (PluginFolders.IsOwn(plugin.Folder))
            return "own";
        try
        {
            // A build that lies elsewhere is expected to be another one than what was pinned.
            return Pins.Values.Contains(plugin.Digest) ? "yes"
                : Pins.ContainsKey(plugin.Name) && Installed?.Holds(plugin.Folder) == true ? "changed" : "no";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "no";
        }
    }

    /// <summary>For each installed plugin that is in use and not as it was pinned: that it is not.</summary>
    public IEnumerable<Diagnostic> Changed(IEnumerable<PluginStatus> plugins) => plugins
        .Where(p => Pins.ContainsKey(p.Name) && p.State is not (PluginState.Shadowed or PluginState.Untrusted) && Standing(p) == "changed")
        .SelectMany(p => Refusal(p.Folder)?.Problems ?? [])
        .Select(p => p with { Severity = Severity.Warning, Found = $"{p.Found}; its code runs all the same: only --trusted-only refuses it" });

    /// <summary>Why a plugin's folder is not to be loaded; null where it may be.</summary>
    public PluginStatus? Refusal(string folder)
    {
        var name = PluginAssembly.NameOf(folder);
        string digest;
        try
        {
            digest = PluginDigest.Of(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Refused(folder, $"{name} cannot be compared with its pin: {e.Message.TrimEnd('.')}", "Look at the folder and its permissions.");
        }
        if (Pins.Values.Contains(digest))
            return null;
        var isInstalled = Installed?.Holds(folder) == true;
        var receipt = isInstalled ? Installed!.ReceiptOf(name, digest) : null;
        var trust = $"`merge plugins trust {(isInstalled ? name : folder)}`";
        var refused = !Pins.TryGetValue(name, out var pin)
            ? Refused(folder, $"{name} is not pinned", $"{trust} pins it.")
            : Refused(
                folder, $"{name} is pinned as {PluginDigest.Short(pin)} but its files are {PluginDigest.Short(digest)}",
                !isInstalled ? $"{trust} pins what is there now, if it was you who built it anew."
                : receipt?.Digest == digest ? $"{trust} pins the one that was installed since."
                : $"`merge plugins verify {name}` says what differs.");
        return refused with { Version = receipt?.Version, Recorded = receipt?.Offers ?? [] };
    }

    private static PluginStatus Refused(string folder, string found, string fix) => PluginStatus.Failed(
        folder, PluginState.Untrusted, new Diagnostic(found) { Where = folder, Fix = fix });
}

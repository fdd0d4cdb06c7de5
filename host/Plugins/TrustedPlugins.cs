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
        new(new Dictionary<string, string>(Pins) { [name] = digest });

    public TrustedPlugins Without(string name) => new(Pins.Where(p => p.Key != name).ToDictionary());

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

    /// <summary>Why a plugin's folder is not to be loaded; null where it may be.</summary>
    public PluginStatus? Refusal(string folder)
    {
        var digest = PluginDigest.Of(folder);
        return Pins.Values.Contains(digest)
            ? null
            : PluginStatus.Failed(folder, PluginState.Untrusted, new Diagnostic("its files are not those of a trusted plugin")
            {
                Where = folder,
                Expected = "a pinned SHA-256, as --trusted-only asks for",
                Fix = $"Look at it, then 'merge plugins trust {Path.GetFileName(folder)} --sha256 {digest}', or leave --trusted-only out.",
            });
    }
}

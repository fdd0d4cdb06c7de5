using System.Security.Cryptography;
using System.Text.Json;

namespace Merge.Plugins;

/// <summary>What was installed: written once, outside the plugin's folder, under a name that has its digest.</summary>
/// <param name="Digest">That of <see cref="PluginDigest"/>.</param>
/// <param name="Files">SHA-256 of each file, lower-case hex, by relative path with forward slashes.</param>
/// <param name="Offers">What it offered, each as its kind and id; empty in receipts that are older than this.</param>
internal sealed record PluginReceipt(
    string Name, string? Version, string Digest, IReadOnlyDictionary<string, string> Files, IReadOnlyList<string> Offers)
{
    public static PluginReceipt Of(string name, PluginStatus plugin, string folder) =>
        new(name, plugin.Version, PluginDigest.Of(folder), Hashes(folder),
        [
            .. plugin.Methods.Select(m => $"method {m}"),
            .. plugin.Searchers.Select(s => $"searcher {s}"),
            .. plugin.Evaluators.Select(e => $"evaluator {e}"),
        ]);

    /// <summary>What differs in a folder from what was installed, in words; empty where nothing does.</summary>
    public IReadOnlyList<string> Differences(string folder)
    {
        var now = Hashes(folder);
        return
        [
            .. Files.Keys.Where(f => !now.ContainsKey(f)).Select(f => $"{f} is missing"),
            .. Files.Where(f => now.TryGetValue(f.Key, out var hash) && hash != f.Value)
                .Select(f => $"{f.Key} is changed (SHA-256 {PluginDigest.Short(now[f.Key])}, installed as {PluginDigest.Short(f.Value)})"),
            .. now.Keys.Where(f => !Files.ContainsKey(f)).Select(f => $"{f} was added"),
        ];
    }

    public void WriteTo(string path)
    {
        using var file = File.Create(path);
        using (var json = new Utf8JsonWriter(file, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("name", Name);
            json.WriteString("version", Version);
            json.WriteString("sha256", Digest);
            json.WriteStartArray("offers");
            foreach (var offer in Offers)
                json.WriteStringValue(offer);
            json.WriteEndArray();
            json.WriteStartObject("files");
            foreach (var (name, hash) in Files)
                json.WriteString(name, hash);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        file.Flush(flushToDisk: true);
    }

    /// <summary>Null where the file is not one.</summary>
    public static PluginReceipt? Read(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = json.RootElement;
            return new(
                root.GetProperty("name").GetString()!, root.GetProperty("version").GetString(),
                root.GetProperty("sha256").GetString()!,
                root.GetProperty("files").EnumerateObject().ToDictionary(f => f.Name, f => f.Value.GetString()!),
                root.TryGetProperty("offers", out var offers) ? [.. offers.EnumerateArray().Select(o => o.GetString()!)] : []);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static SortedDictionary<string, string> Hashes(string folder)
    {
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            using var file = File.OpenRead(path);
            hashes.Add(Path.GetRelativePath(folder, path).Replace('\\', '/'), Convert.ToHexStringLower(SHA256.HashData(file)));
        }
        return hashes;
    }
}

using System.Text.Json;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>A <c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
/// <param name="Path">The index file.</param>
/// <param name="ShardOf">Shard name by tensor name; every shard name stays inside the index's folder.</param>
internal sealed record ShardIndex(string Path, IReadOnlyDictionary<string, string> ShardOf)
{
    /// <summary>The shards named, each once, sorted.</summary>
    public IReadOnlyList<string> Shards { get; } =
        ShardOf.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();

    /// <exception cref="MergeException">With everything wrong in it.</exception>
    public static ShardIndex Read(string path)
    {
        var problems = new List<Diagnostic>();
        var shardOf = new Dictionary<string, string>(StringComparer.Ordinal);
        void Report(string found, string? expected = null) =>
            problems.Add(new Diagnostic(found) { Where = path, Expected = expected });
        try
        {
            using var json = JsonDocument.Parse(JsonFile.Read(path));
            if (json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("weight_map", out var map)
                || map.ValueKind != JsonValueKind.Object)
            {
                throw new MergeException(new Diagnostic("the index has no weight_map") { Where = path });
            }
            foreach (var entry in map.EnumerateObject())
            {
                var shard = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : null;
                if (shard is null)
                    Report($"the shard of tensor '{entry.Name}' is not a text");
                else if (!StaysInside(shard))
                    Report($"the shard of tensor '{entry.Name}' is '{shard}'", "a file inside the index's folder");
                else if (!shardOf.TryAdd(entry.Name, shard))
                    Report($"tensor '{entry.Name}' is in two shards: '{shardOf[entry.Name]}' and '{shard}'");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            Report("the index is not JSON");
        }
        return problems.Count == 0 ? new ShardIndex(path, shardOf) : throw new MergeException(problems);
    }

    /// <summary>Whether a name is of a file in the folder or below it.</summary>
    // The name counts, not where it leads: in the Hugging Face cache shards are symbolic links to blobs elsewhere.
    public static bool StaysInside(string name) =>
        name.Length > 0 && !name.Contains('\\') && !name.Contains(':') && !name.Any(char.IsControl)
        && name.Split('/').All(part => part is not ("" or "." or ".."));
}

using System.Buffers.Binary;
using System.Text.Json;

namespace Merge.Benchmarks;

/// <summary>Where one tensor's bytes lie.</summary>
internal sealed record Place(string Name, string File, long Offset, long Elements);

/// <summary>
/// Lays out a checkpoint in Hugging Face's form, headers and index written, the data left as holes: one file, or shards
/// of at most 5 GB.
/// </summary>
internal static class CheckpointFolder
{
    private const long ShardLimit = 5_000_000_000;

    public static IReadOnlyList<Place> Create(
        string folder, IEnumerable<(string Name, long[] Shape)> tensors, Precision precision, string config)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), config);

        List<List<(string Name, long[] Shape, long Bytes)>> shards = [[]];
        foreach (var (name, shape) in tensors)
        {
            var bytes = shape.Aggregate((long)precision.Bytes, (size, extent) => size * extent);
            if (shards[^1].Count > 0 && shards[^1].Sum(t => t.Bytes) + bytes > ShardLimit)
                shards.Add([]);
            shards[^1].Add((name, shape, bytes));
        }

        List<Place> places = [];
        for (var s = 0; s < shards.Count; s++)
        {
            var file = shards.Count == 1
                ? "model.safetensors"
                : $"model-{s + 1:D5}-of-{shards.Count:D5}.safetensors";
            places.AddRange(CreateFile(Path.Combine(folder, file), shards[s], precision));
        }

        if (shards.Count > 1)
            File.WriteAllText(
                Path.Combine(folder, "model.safetensors.index.json"),
                JsonSerializer.Serialize(new
                {
                    metadata = new { total_size = places.Sum(p => p.Elements) * precision.Bytes },
                    weight_map = places.ToDictionary(p => p.Name, p => Path.GetFileName(p.File)),
                }));
        return places;
    }

    private static IEnumerable<Place> CreateFile(
        string path, List<(string Name, long[] Shape, long Bytes)> tensors, Precision precision)
    {
        Dictionary<string, object> header = new() { ["__metadata__"] = new { format = "pt" } };
        List<long> begins = [];
        var end = 0L;
        foreach (var (name, shape, bytes) in tensors)
        {
            begins.Add(end);
            header[name] = new { dtype = precision.SafetensorsName, shape, data_offsets = new[] { end, end + bytes } };
            end += bytes;
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(header);
        var padded = (json.Length + 7) / 8 * 8;
        var start = new byte[8 + padded];
        BinaryPrimitives.WriteInt64LittleEndian(start, padded);
        start.AsSpan(8).Fill((byte)' ');
        json.CopyTo(start, 8);

        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        RandomAccess.Write(file, start, 0);
        RandomAccess.SetLength(file, start.Length + end);
        return
        [
            .. tensors.Select((t, i) =>
                new Place(t.Name, path, start.Length + begins[i], t.Bytes / precision.Bytes))
        ];
    }
}

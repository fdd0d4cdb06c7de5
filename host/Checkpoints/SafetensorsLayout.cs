using System.Collections.Immutable;
using System.Text;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>A tensor to be written.</summary>
internal sealed record OutputTensor(string Name, DType DType, ImmutableArray<long> Shape)
{
    /// <summary>The bytes it takes.</summary>
    public long Length
    {
        get
        {
            var bits = checked((long)(Shape.Aggregate((Int128)1, (n, size) => n * size) * DType.Bits()));
            return bits % 8 == 0 ? bits / 8 : throw new ArgumentException($"'{Name}' does not fill whole bytes");
        }
    }
}

/// <summary>Where a tensor's bytes go.</summary>
/// <param name="File">Index into <see cref="SafetensorsLayout.Files"/>.</param>
/// <param name="Offset">First byte, from the start of the file.</param>
/// <param name="Length">Bytes.</param>
internal sealed record Placement(int File, long Offset, long Length);

/// <summary>A file to be written.</summary>
/// <param name="Name">Without a folder.</param>
/// <param name="Header">The first bytes: the JSON's length, the JSON, padding.</param>
/// <param name="Size">Bytes of the whole file.</param>
internal sealed record OutputFile(string Name, byte[] Header, long Size);

/// <summary>
/// Every output byte's place, known before any is computed. Files, order and headers are those that Hugging Face's own
/// libraries write: shards are filled in the given order, tensors within a file sorted by dtype, then name.
/// </summary>
internal sealed class SafetensorsLayout
{
    private SafetensorsLayout(List<OutputFile> files, Dictionary<string, Placement> placements, byte[]? index)
    {
        Files = files;
        Placements = placements;
        Index = index;
    }

    /// <summary>One, or the shards in order.</summary>
    public IReadOnlyList<OutputFile> Files { get; }

    /// <summary>By tensor name.</summary>
    public IReadOnlyDictionary<string, Placement> Placements { get; }

    /// <summary>The text of model.safetensors.index.json; null for a single file.</summary>
    public byte[]? Index { get; }

    /// <summary>Bytes of all files together.</summary>
    public long Size => Files.Sum(f => f.Size) + (Index?.Length ?? 0);

    /// <summary>Lays tensors out.</summary>
    /// <param name="tensors">In the order in which shards are filled; names are unique.</param>
    /// <param name="maxShardBytes">Most tensor bytes in one file; a larger tensor has a file of its own.</param>
    /// <param name="metadata">Written to every file.</param>
    /// <param name="single">What the file is called where there is one.</param>
    public static SafetensorsLayout Of(
        IEnumerable<OutputTensor> tensors, long maxShardBytes, IReadOnlyDictionary<string, string> metadata,
        string single = CheckpointFolder.SingleFile)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxShardBytes, 1);
        var shards = Shards(tensors, maxShardBytes);
        var files = new List<OutputFile>();
        var placements = new Dictionary<string, Placement>(StringComparer.Ordinal);
        foreach (var shard in shards)
        {
            var name = shards.Count == 1
                ? single
                : $"model-{files.Count + 1:D5}-of-{shards.Count:D5}.safetensors";
            var sorted = shard
                .OrderByDescending(t => DTypeNames.Rank(t.DType))
                .ThenBy(t => t.Name, HeaderText.ByCodePoint)
                .ToList();
            var header = HeaderText.Header(sorted, metadata);
            var offset = (long)header.Length;
            foreach (var tensor in sorted)
            {
                placements.Add(tensor.Name, new Placement(files.Count, offset, tensor.Length));
                offset = checked(offset + tensor.Length);
            }
            files.Add(new OutputFile(name, header, offset));
        }
        return new SafetensorsLayout(files, placements, files.Count == 1 ? null : IndexOf(files, placements));
    }

    // As huggingface_hub does: what is larger than a shard gets its own at once, without closing the one being filled.
    private static List<List<OutputTensor>> Shards(IEnumerable<OutputTensor> tensors, long most)
    {
        var shards = new List<List<OutputTensor>>();
        var current = new List<OutputTensor>();
        var size = 0L;
        foreach (var tensor in tensors)
        {
            var length = tensor.Length;
            if (length > most)
            {
                shards.Add([tensor]);
                continue;
            }
            if (length > most - size)
            {
                shards.Add(current);
                current = [];
                size = 0;
            }
            current.Add(tensor);
            size += length;
        }
        if (current.Count > 0 || shards.Count == 0)
            shards.Add(current);
        return shards;
    }

    private static byte[] IndexOf(List<OutputFile> files, Dictionary<string, Placement> placements)
    {
        var text = new StringBuilder("{\n  \"metadata\": {\n    \"total_size\": ");
        text.Append(placements.Values.Sum(p => p.Length)).Append("\n  },\n  \"weight_map\": {");
        var separator = "\n    ";
        foreach (var (name, placement) in placements.OrderBy(p => p.Key, HeaderText.ByCodePoint))
        {
            HeaderText.Quote(text.Append(separator), name).Append(": ");
            HeaderText.Quote(text, files[placement.File].Name);
            separator = ",\n    ";
        }
        return HeaderText.Utf8.GetBytes(text.Append("\n  }\n}\n").ToString());
    }
}

using System.Collections.Immutable;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>Where in the files a chunk, or something else than a tensor, is.</summary>
/// <param name="What">For messages: the tensor and the chunk.</param>
/// <param name="Path">Of the file, within the folder.</param>
internal sealed record DistributedEntry(string What, string Path, long Offset, long Length);

/// <summary>A box of a tensor.</summary>
/// <param name="Entry">Where it is; null where the metadata does not say.</param>
internal sealed record DistributedChunk(ImmutableArray<long> Offsets, ImmutableArray<long> Sizes, DistributedEntry? Entry);

/// <summary>A tensor as the metadata describes it.</summary>
/// <param name="Key">Its name in the checkpoint.</param>
/// <param name="DType">Null where safetensors has none.</param>
internal sealed record DistributedTensor(string Key, DType? DType, ImmutableArray<long> Shape, IReadOnlyList<DistributedChunk> Chunks);

/// <summary>The <c>.metadata</c> of a distributed checkpoint.</summary>
/// <param name="Tensors">In its order.</param>
/// <param name="Others">Keys of what is no tensor.</param>
/// <param name="Paths">The keys of the nested dicts a flat key was made of, where the metadata says.</param>
/// <param name="Entries">Every place in the files, of whatever is there.</param>
internal sealed record DistributedMetadata(
    IReadOnlyList<DistributedTensor> Tensors, IReadOnlyList<string> Others, IReadOnlyDictionary<string, string[]> Paths,
    IReadOnlyList<DistributedEntry> Entries)
{
    /// <summary>A hundred bytes of pickle a chunk, and a chunk a rank of every tensor and moment.</summary>
    private const long LongestPickle = 128L << 20;

    /// <summary>Enough for about 400 000 chunks; a file of a few bytes cannot ask for it.</summary>
    private const long MostMemory = 1L << 30;

    /// <exception cref="MergeException">It is no such metadata.</exception>
    public static DistributedMetadata Read(CheckpointFile file, TrainingContent content)
    {
        var root = PickleReader.Read(new PickleStream(file, 0, Math.Min(file.Size, LongestPickle)), null, MostMemory) as PickleObject;
        if (!Is(root, "Metadata") || root.Field("state_dict_metadata") is not PickleDict described)
            throw Wrong(file, "it holds no metadata of a distributed checkpoint");
        var entries = ReadEntries(file, root.Field("storage_data") as PickleDict);
        var tensors = new List<DistributedTensor>();
        var others = new List<string>();
        foreach (var (key, value) in described.Items)
        {
            if (key is not string name)
                throw Wrong(file, "it describes something without a name");
            if (Is(value as PickleObject, "TensorStorageMetadata"))
                tensors.Add(Tensor(file, name, (PickleObject)value!, entries));
            else
                others.Add(name);
        }
        var paths = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var (key, value) in (root.Field("planner_data") as PickleDict)?.Items ?? [])
        {
            if (key is string name && value is IReadOnlyList<object?> path && path.All(p => p is string or long))
                paths[name] = [.. path.Select(p => $"{p}")];
        }
        return new(tensors, others, paths, [.. entries.Values]);
    }

    private static DistributedTensor Tensor(
        CheckpointFile file, string name, PickleObject value, Dictionary<(string, string), DistributedEntry> entries)
    {
        var properties = value.Field("properties") as PickleObject;
        var type = (properties?.State as object?[])?.FirstOrDefault() ?? properties?.Field("dtype");
        if (TrainingContent.Sizes(value.Field("size")) is not { } shape || type is not PickleName { Known: { Kind: NameKind.DType, Type: { } dtype } }
            || value.Field("chunks") is not List<object?> chunks)
        {
            throw Wrong(file, $"tensor '{PickleText.Shown(name)}' is described without its size, type or chunks");
        }
        return new(name, dtype.DType, shape, chunks.ConvertAll(c =>
        {
            if (c is not PickleObject chunk || TrainingContent.Sizes(chunk.Field("offsets")) is not { } offsets
                || TrainingContent.Sizes(chunk.Field("sizes")) is not { } sizes)
            {
                throw Wrong(file, $"a chunk of tensor '{PickleText.Shown(name)}' is described without its offsets or sizes");
            }
            return new DistributedChunk(offsets, sizes, entries.GetValueOrDefault((name, TrainingContent.Shown(offsets))));
        }));
    }

    private static Dictionary<(string, string), DistributedEntry> ReadEntries(CheckpointFile file, PickleDict? storage)
    {
        var entries = new Dictionary<(string, string), DistributedEntry>();
        foreach (var (key, value) in storage?.Items ?? [])
        {
            if (key is not PickleObject index || value is not PickleObject info || index.Field("fqn") is not string name
                || info.Field("relative_path") is not string path || info.Field("offset") is not (long and >= 0)
                || info.Field("length") is not (long and >= 0))
            {
                throw Wrong(file, "it does not say where the chunks are", "an index and a path, offset and length for each");
            }
            var offsets = TrainingContent.Sizes(index.Field("offset"));
            var what = offsets is { Length: > 0 } ? $"the chunk at {TrainingContent.Shown(offsets)} of '{PickleText.Shown(name)}'" : $"'{PickleText.Shown(name)}'";
            if (info.Field("transform_descriptors") is not (null or IReadOnlyList<object?> { Count: 0 }))
            {
                throw Wrong(file, $"{what} is stored transformed (compressed or encrypted)", "plain tensors",
                    "Save the checkpoint without extensions of the writer.");
            }
            // Without offsets it is no tensor's.
            if (!entries.TryAdd((name, offsets is { } at ? TrainingContent.Shown(at) : ""), new(what, path, (long)info.Field("offset")!, (long)info.Field("length")!)))
                throw Wrong(file, $"{what} is in two places");
        }
        return entries;
    }

    private static bool Is([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] PickleObject? value, string name) =>
        value?.Type.FullName.EndsWith($".checkpoint.metadata.{name}", StringComparison.Ordinal) == true;

    private static MergeException Wrong(CheckpointFile file, string found, string? expected = null, string? fix = null) => new(TrainingContent.Wrong(
        file.Path, found, expected ?? "what torch.distributed.checkpoint writes", fix));
}

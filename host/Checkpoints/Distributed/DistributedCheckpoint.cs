using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>
/// A folder of PyTorch Distributed Checkpoint: <c>.metadata</c> says of which boxes each tensor is made and where in the
/// <c>.distcp</c> files each is, as a file of <c>torch.save</c> of its own.
/// </summary>
/// <remarks>Written by <c>torch.distributed.checkpoint.FileSystemWriter</c>, since PyTorch 1.13.</remarks>
internal static class DistributedCheckpoint
{
    public const string MetadataFile = ".metadata";

    /// <summary>More than the ranks any tensor was ever divided over.</summary>
    private const int MostChunks = 1 << 15;

    public static void Read(string folder, TrainingContent content)
    {
        var path = Path.Combine(folder, MetadataFile);
        if (!File.Exists(path))
        {
            content.Report(path, "the file is missing", "what says where in the .distcp files each tensor is",
                "It is written last: copy it, too, or use an earlier checkpoint where saving was interrupted.");
            return;
        }
        var file = content.Open(path);
        var metadata = DistributedMetadata.Read(file, content);
        var entries = OpenEntries(folder, metadata, content);
        var keys = DistributedKeys.Of(metadata, path, content);
        foreach (var tensor in metadata.Tensors)
        {
            var isWeight = keys.Weights.TryGetValue(tensor.Key, out var name);
            if (!isWeight && !keys.State.TryGetValue(tensor.Key, out name))
                continue;
            if (Assemble(tensor, name!, file, entries, content) is { } source
                && !(isWeight ? content.Weights : content.State).TryAdd(name!, source))
            {
                content.Report(path, $"two tensors are named '{PickleText.Shown(name!)}' without their prefixes");
            }
        }
        NoteUnused(folder, metadata, content);
    }

    /// <summary>Opens each file that is named once, and checks that every entry lies within it and apart from the others.</summary>
    private static Dictionary<DistributedEntry, CheckpointFile> OpenEntries(string folder, DistributedMetadata metadata, TrainingContent content)
    {
        var files = new Dictionary<DistributedEntry, CheckpointFile>();
        foreach (var group in metadata.Entries.GroupBy(e => e.Path, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var path = Path.Combine(folder, group.Key);
            if (!ShardIndex.StaysInside(group.Key))
            {
                content.Report(Path.Combine(folder, MetadataFile), $"{group.First().What} is in '{PickleText.Shown(group.Key)}'", "a file inside the folder");
                continue;
            }
            if (!File.Exists(path))
            {
                content.Report(path, $"the file is missing{Rank(group.Key)}, and {group.First().What} is in it", null,
                    "Copy it, too: each rank saves its own, perhaps on a disk of its own.");
                continue;
            }
            var file = content.Open(path);
            DistributedEntry? last = null;
            foreach (var entry in group.OrderBy(e => e.Offset))
            {
                if (entry.Offset > file.Size || entry.Length > file.Size - entry.Offset)
                {
                    content.Report(
                        path,
                        $"the file{Rank(group.Key)} has {file.Size} bytes, and {entry.What} is at bytes {entry.Offset} to {(Int128)entry.Offset + entry.Length}",
                        null, "The file is cut off or of another save: copy it again.");
                }
                else if (last is not null && entry.Offset < last.Offset + last.Length)
                {
                    content.Report(path, $"{last.What} and {entry.What} overlap at byte {entry.Offset}");
                }
                else
                {
                    files.TryAdd(entry, file);
                    last = entry;
                }
            }
        }
        return files;
    }

    private static TensorSource? Assemble(
        DistributedTensor tensor, string name, CheckpointFile home, Dictionary<DistributedEntry, CheckpointFile> files, TrainingContent content)
    {
        if (tensor.DType is not { } dtype)
        {
            content.Report(home.Path, $"tensor '{PickleText.Shown(name)}' is of a type that safetensors has not");
            return null;
        }
        var problem = tensor.Chunks.Count > MostChunks ? $"is in {tensor.Chunks.Count} chunks, more than {MostChunks}" : ChunkCover.Problem(tensor);
        if (problem is not null)
        {
            content.Report(
                home.Path,
                $"tensor '{PickleText.Shown(tensor.Key)}' {problem}", "chunks that cover it, each element once",
                "Save the checkpoint again: its metadata contradicts itself.");
            return null;
        }
        var chunks = new List<Chunk>();
        foreach (var chunk in tensor.Chunks)
        {
            // What is wrong with an entry that was not opened has been said.
            if (chunk.Entry is { } entry && files.TryGetValue(entry, out var file))
            {
                if (Read(entry, chunk, dtype, file, content) is { } source)
                    chunks.Add(new(source, 0, chunk.Offsets, chunk.Sizes));
            }
            else if (chunk.Entry is null)
            {
                content.Report(
                    home.Path,
                    $"the chunk at {TrainingContent.Shown(chunk.Offsets)} of tensor '{PickleText.Shown(tensor.Key)}' is in no file", null,
                    "Save the checkpoint again: its metadata contradicts itself.");
            }
        }
        return chunks.Count == tensor.Chunks.Count ? AssembledTensor.Of(name, dtype, tensor.Shape, tensor.Shape, chunks, home) : null;
    }

    private static TensorSource? Read(DistributedEntry entry, DistributedChunk chunk, DType dtype, CheckpointFile file, TrainingContent content)
    {
        try
        {
            var saved = PyTorchFile.Read(file, entry.Offset, entry.Length);
            if (saved.Root is PickleTensor found && saved.Tensor(entry.What, found) is var source)
            {
                if (source.DType == dtype && source.Shape.SequenceEqual(chunk.Sizes))
                    return source;
                content.Report($"{file.Path}, byte {entry.Offset}", $"{entry.What} is {TrainingContent.Shown(source.Shape)} of {source.DType}",
                    $"{TrainingContent.Shown(chunk.Sizes)} of {dtype}, as {MetadataFile} says");
            }
            else
            {
                content.Report($"{file.Path}, byte {entry.Offset}", $"{entry.What} is no tensor", "one tensor, as torch.save writes");
            }
        }
        catch (MergeException e)
        {
            content.Problems.AddRange(e.Diagnostics.Select(d => d with { Found = $"{entry.What}: {d.Found}" }));
        }
        return null;
    }

    private static void NoteUnused(string folder, DistributedMetadata metadata, TrainingContent content)
    {
        string[] unused =
        [
            .. Directory.GetFiles(folder, "*.distcp").Select(f => Path.GetFileName(f))
                .Except(metadata.Entries.Select(e => e.Path)).Order(StringComparer.Ordinal),
        ];
        if (unused.Length > 0)
            content.Notes.Add($"of another save, and left out: {PickleText.Listed(unused)}");
    }

    // __3_0.distcp is the first file of rank 3.
    private static string Rank(string name) =>
        name.StartsWith("__", StringComparison.Ordinal) && name.Split('_') is [_, _, var rank, _] && rank.All(char.IsAsciiDigit) ? $" of rank {rank}" : "";
}

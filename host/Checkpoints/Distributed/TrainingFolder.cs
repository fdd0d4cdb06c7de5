using System.Text;
using Merge.Sdk;

namespace Merge.Checkpoints.Distributed;

/// <summary>
/// A folder that distributed training wrote: DeepSpeed's universal checkpoint, its ZeRO shards, or a PyTorch Distributed
/// Checkpoint; or one above it, whose <c>latest_universal</c> or <c>latest</c> names it.
/// </summary>
/// <param name="Path">The folder that holds the files.</param>
/// <param name="Read">Reads it.</param>
internal sealed record TrainingFolder(string Path, Action<string, TrainingContent> Read)
{
    private const int LongestPointer = 4096;

    /// <summary>What a folder is, or what its pointer leads to; null where it holds weights of another kind, or none.</summary>
    /// <exception cref="MergeException">It cannot be listed, or its pointer leads nowhere.</exception>
    public static TrainingFolder? Find(string folder)
    {
        try
        {
            // A trainer leaves the model itself beside the folders of its state.
            if (Names(folder).Any(n => n.EndsWith(".safetensors", StringComparison.Ordinal) || IsPyTorchModel(n)))
                return null;
            return Of(folder) ?? (Pointer(folder, "latest_universal") ?? Pointer(folder, "latest")) switch
            {
                null => null,
                var step => Of(step) ?? throw new MergeException(new Diagnostic("the folder holds no checkpoint of DeepSpeed")
                {
                    Where = step,
                    Expected = "zero/<parameter>/fp32.pt of a universal checkpoint, or zero_pp_rank_*_optim_states.pt",
                }),
            };
        }
        catch (Exception e) when (FileProblem.Is(e))
        {
            throw FileProblem.Reading(folder, e);
        }
    }

    private static TrainingFolder? Of(string folder)
    {
        string[] names = [.. Names(folder)];
        if (names.Contains(DistributedCheckpoint.MetadataFile) || names.Any(n => n.EndsWith(".distcp", StringComparison.Ordinal)))
            return new(folder, DistributedCheckpoint.Read);
        if (Directory.Exists(System.IO.Path.Combine(folder, UniversalCheckpoint.Parameters)))
            return new(folder, UniversalCheckpoint.Read);
        return names.Any(n => ZeroFile.Of(n) is { IsOptimizer: true } or { DataRank: not null })
            ? new(folder, ZeroCheckpoint.Read)
            : null;
    }

    private static string? Pointer(string folder, string name)
    {
        var path = System.IO.Path.Combine(folder, name);
        if (!File.Exists(path))
            return null;
        using var file = CheckpointFile.OpenAny(path);
        var bytes = new byte[Math.Min(file.Size, LongestPointer)];
        file.Read(0, bytes);
        var step = Encoding.UTF8.GetString(bytes).Trim();
        var isName = step.Length > 0 && step is not ("." or "..") && step.IndexOfAny(['/', '\\', ':']) < 0 && !step.Any(char.IsControl);
        var target = isName ? System.IO.Path.Combine(folder, step) : null;
        return Directory.Exists(target)
            ? target
            : throw new MergeException(new Diagnostic($"it names '{PyTorch.PickleText.Shown(step)}', and there is no such folder beside it")
            {
                Where = path,
                Fix = "Copy that folder, too, or give the folder of the step you mean.",
            });
    }

    private static IEnumerable<string> Names(string folder) => Directory.GetFiles(folder).Select(f => System.IO.Path.GetFileName(f));

    private static bool IsPyTorchModel(string name) =>
        name is CheckpointFolder.PyTorchSingleFile or CheckpointFolder.PyTorchIndexFile or CheckpointFolder.IndexFile;
}

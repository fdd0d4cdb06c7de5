using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>Which files of a folder are its checkpoint.</summary>
internal static class CheckpointFolder
{
    public const string SingleFile = "model.safetensors";
    public const string IndexFile = "model.safetensors.index.json";
    public const string PyTorchSingleFile = "pytorch_model.bin";
    public const string PyTorchIndexFile = "pytorch_model.bin.index.json";

    private static readonly string[] PyTorch = [".bin", ".pt", ".pth", ".ckpt"];

    /// <summary>The index or the file that stands for a folder; safetensors before PyTorch files where there are both.</summary>
    /// <exception cref="MergeException">There is none, or more than one.</exception>
    public static string MainFile(string folder)
    {
        string[] names;
        try
        {
            names = [.. Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (FileProblem.Is(e))
        {
            throw FileProblem.Reading(folder, e);
        }
        string[] weights = [.. names.Where(n => n.EndsWith(".safetensors", StringComparison.Ordinal))];
        // Training leaves training_args.bin and optimizer.pt beside weights of any kind.
        string[] pickles = [.. names.Where(n => IsPyTorch(n) && !CopiedFiles.IsTrainingState(n))];
        string[] others = weights.Length switch
        {
            0 => [PyTorchIndexFile, PyTorchSingleFile, .. pickles.Length == 1 ? pickles : []],
            1 => weights,
            _ => [],
        };
        string[] candidates = [IndexFile, SingleFile, .. others];
        return candidates.FirstOrDefault(names.Contains) is { } main
            ? Path.Combine(folder, main)
            : throw new MergeException(Problem(folder, weights, pickles));
    }

    public static bool IsPyTorch(string name) =>
        PyTorch.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    private static Diagnostic Problem(string folder, string[] weights, string[] pickles)
    {
        if (weights.Length > 1)
        {
            return new Diagnostic(
                $"the folder holds {weights.Length} safetensors files and no {IndexFile}: {Listed(weights)}")
            {
                Where = folder,
                Expected = $"{SingleFile}, an index, or one file",
                Fix = "Name the one file that is meant, or download the missing index.",
            };
        }
        if (pickles.Length > 1)
        {
            var isParallel = pickles.All(n => n.StartsWith("consolidated.", StringComparison.Ordinal));
            return new Diagnostic(
                $"the folder holds {pickles.Length} PyTorch files and no {PyTorchIndexFile}: {Listed(pickles)}")
            {
                Where = folder,
                Expected = $"{PyTorchSingleFile}, an index, or one file",
                Fix = isParallel
                    ? "Each holds a slice of every tensor: use the model in Hugging Face's layout."
                    : "Name the one file that is meant, or download the missing index.",
            };
        }
        return new Diagnostic("the folder holds no checkpoint")
        {
            Where = folder,
            Expected = $"{SingleFile}, {IndexFile} with its shards, one other safetensors file, or the same of PyTorch "
                + $"({PyTorchSingleFile}, {PyTorchIndexFile}), or a folder of DeepSpeed or PyTorch Distributed Checkpoint",
        };
    }

    private static string Listed(string[] names) =>
        names.Length > 10 ? $"{string.Join(", ", names.Take(10))} …" : string.Join(", ", names);
}

using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>Which files of a folder are its checkpoint.</summary>
internal static class CheckpointFolder
{
    public const string SingleFile = "model.safetensors";
    public const string IndexFile = "model.safetensors.index.json";

    private static readonly string[] PyTorch = [".bin", ".pt", ".pth", ".ckpt"];

    /// <summary>The index or the safetensors file that stands for a folder.</summary>
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
        var weights = names.Where(n => n.EndsWith(".safetensors", StringComparison.Ordinal)).ToArray();
        if (names.Contains(IndexFile))
            return Path.Combine(folder, IndexFile);
        if (names.Contains(SingleFile))
            return Path.Combine(folder, SingleFile);
        return weights.Length == 1
            ? Path.Combine(folder, weights[0])
            : throw new MergeException(Problem(folder, names, weights));
    }

    public static bool IsPyTorch(string name) =>
        PyTorch.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    public static Diagnostic PyTorchFile(string where, string name) => new($"'{name}' is a PyTorch file")
    {
        Where = where,
        Expected = "safetensors: PyTorch files are not read yet",
        Fix = "Load the model with its library and save it again with safe_serialization=True.",
    };

    private static Diagnostic Problem(string folder, string[] names, string[] weights)
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
        // Training leaves training_args.bin and optimizer.pt beside weights of any kind.
        var pickle = names.FirstOrDefault(n => IsPyTorch(n) && !CopiedFiles.IsTrainingState(n));
        return pickle is not null ? PyTorchFile(folder, pickle) : new Diagnostic("the folder holds no checkpoint")
        {
            Where = folder,
            Expected = $"{SingleFile}, {IndexFile} with its shards, or one other safetensors file",
        };
    }

    private static string Listed(string[] names) =>
        names.Length > 10 ? $"{string.Join(", ", names.Take(10))} …" : string.Join(", ", names);
}

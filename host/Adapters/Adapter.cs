using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>
/// A LoRA adapter whose config and headers have been read and checked against each other; no factor is read yet. Its
/// files stay open until it is disposed.
/// </summary>
internal sealed class Adapter : IDisposable
{
    /// <summary>File names PEFT gives the tensors, the preferred first.</summary>
    public static readonly string[] TensorFiles = ["adapter_model.safetensors", "adapter_model.bin"];

    private Adapter(string path, Checkpoint checkpoint) => (Path, Checkpoint) = (path, checkpoint);

    /// <summary>What was opened, as a full path: a folder or a file.</summary>
    public string Path { get; }

    public Checkpoint Checkpoint { get; }

    /// <summary>Null where there is none: kohya's format says all it has to say in the tensors.</summary>
    public AdapterConfig? Config { get; private init; }

    /// <summary>By the module's name, in ordinal order.</summary>
    public required IReadOnlyDictionary<string, AdapterModule> Modules { get; init; }

    /// <summary>Whole parameters by their name in the base: <c>modules_to_save</c> and biases.</summary>
    public required IReadOnlyDictionary<string, TensorSource> Saved { get; init; }

    public required IReadOnlyList<Diagnostic> Warnings { get; init; }

    /// <summary>Whether a path holds an adapter, told without opening it.</summary>
    public static bool IsAt(string path)
    {
        if (Directory.Exists(path))
            return File.Exists(System.IO.Path.Combine(path, AdapterConfig.FileName)) || TensorFile(path) is not null;
        return TensorFiles.Contains(System.IO.Path.GetFileName(path)) || IsKohya(path);
    }

    // A file by itself, under any name: only its header tells. What cannot be read is told when it is opened.
    private static bool IsKohya(string path)
    {
        if (!path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || !File.Exists(path))
            return false;
        try
        {
            using var checkpoint = Checkpoint.Open(path);
            return checkpoint.Tensors.Keys.Any(n => n.EndsWith(".lora_down.weight", StringComparison.Ordinal));
        }
        catch (MergeException)
        {
            return false;
        }
    }

    /// <summary>Opens an adapter's folder, or its tensors' file by itself (kohya's format, or PEFT's with the config
    /// beside it).</summary>
    /// <exception cref="MergeException">Everything that is wrong with it, by module.</exception>
    public static Adapter Open(string path)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        var isFolder = Directory.Exists(full);
        var file = isFolder ? TensorFile(full) : full;
        var folder = isFolder ? full : System.IO.Path.GetDirectoryName(full)!;
        if (file is null)
        {
            throw new MergeException(new Diagnostic("the adapter has a config, but no tensors")
            {
                Where = full,
                Expected = $"one of {string.Join(", ", TensorFiles)} beside {AdapterConfig.FileName}",
                Fix = "Finish the download.",
            });
        }
        var checkpoint = Checkpoint.Open(file);
        try
        {
            return Of(full, System.IO.Path.Combine(folder, AdapterConfig.FileName), checkpoint);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    public void Dispose() => Checkpoint.Dispose();

    private static Adapter Of(string path, string configPath, Checkpoint checkpoint)
    {
        var problems = new List<Diagnostic>();
        var reader = new AdapterReader(checkpoint, problems);
        // kohya's tensors say all; a config that lies beside them is another adapter's.
        var config = reader.IsKohya ? null : AdapterConfig.Read(configPath, problems);
        var modules = config is null && !reader.IsKohya
            ? new Dictionary<string, AdapterModule>() : reader.Modules(config);
        if (problems.Any(p => p.Severity == Severity.Error))
            throw new MergeException([.. problems.Where(p => p.Severity == Severity.Error)]);
        if (modules.Values.Count(m => m.Scale == 0) is > 0 and var idle)
        {
            problems.Add(new Diagnostic($"alpha is 0 in {(idle == modules.Count ? "all" : $"{idle} of {modules.Count}")} modules: they change nothing")
            {
                Severity = Severity.Warning,
                Where = path,
                Fix = "Look at lora_alpha and alpha_pattern in its config.",
            });
        }
        return new Adapter(path, checkpoint)
        {
            Config = config,
            Modules = modules,
            Saved = reader.Saved,
            Warnings = problems,
        };
    }

    private static string? TensorFile(string folder) =>
        TensorFiles.Select(f => System.IO.Path.Combine(folder, f)).FirstOrDefault(File.Exists);
}

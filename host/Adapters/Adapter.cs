using System.Globalization;
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

    /// <summary>Null where there is none: kohya's and diffusers' files say all they have to say in one file.</summary>
    public AdapterConfig? Config { get; private init; }

    /// <summary>The config, the file's header or the tensors that say how strong each module's change is, as a message names them.</summary>
    public required string ScaledBy { get; init; }

    /// <summary>What the file's header says of the scales; null: nothing.</summary>
    public HeaderConfigs? Header { get; private init; }

    /// <summary>By the module's name, in ordinal order.</summary>
    public required IReadOnlyDictionary<string, AdapterModule> Modules { get; init; }

    /// <summary>Whole parameters by their name in the base: <c>modules_to_save</c> and biases.</summary>
    public required IReadOnlyDictionary<string, TensorSource> Saved { get; init; }

    public required IReadOnlyList<Diagnostic> Warnings { get; init; }

    /// <summary>Whether a path holds an adapter: by its files, else by the names of its tensors, whatever the file is
    /// called. Of what cannot be read this is told when it is opened.</summary>
    public static bool IsAt(string path)
    {
        var isFolder = Directory.Exists(path);
        if (isFolder && (File.Exists(System.IO.Path.Combine(path, AdapterConfig.FileName)) || TensorFile(path) is not null))
            return true;
        if (!isFolder && TensorFiles.Contains(System.IO.Path.GetFileName(path)))
            return true;
        try
        {
            return (isFolder ? OnlyFile(path) : path) is { Length: > 0 } file && Names(file).Any(AdapterNames.IsOfAdapter);
        }
        catch (MergeException)
        {
            return false;
        }
    }

    /// <summary>Opens an adapter's folder, or its tensors' file by itself: PEFT's with the config beside it, or with what
    /// says the scales among the tensors (kohya's, diffusers').</summary>
    /// <exception cref="MergeException">Everything that is wrong with it, by module.</exception>
    public static Adapter Open(string path)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        var isFolder = Directory.Exists(full);
        var file = isFolder ? TensorFile(full) ?? OnlyFile(full) : full;
        var folder = isFolder ? full : System.IO.Path.GetDirectoryName(full)!;
        var config = System.IO.Path.Combine(folder, AdapterConfig.FileName);
        if (file is null)
            throw new MergeException(File.Exists(config) ? WithoutTensors(full) : None(full, null));
        var checkpoint = Checkpoint.Open(file);
        try
        {
            if (isFolder && TensorFile(full) is null && File.Exists(config) && !checkpoint.Tensors.Keys.Any(AdapterNames.IsOfAdapter))
                throw new MergeException(WithoutTensors(full));
            return Of(full, config, checkpoint);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Who writes such files.</summary>
    public string Format => Config is not null ? "peft"
        : Modules.Values.All(m => AdapterNames.IsKohya(m.A.Name)) ? "kohya" : "diffusers";

    public void Dispose() => Checkpoint.Dispose();

    private static Adapter Of(string path, string configPath, Checkpoint checkpoint)
    {
        var problems = new List<Diagnostic>();
        var reader = new AdapterReader(checkpoint, AdapterConfig.WholeModules(configPath), problems);
        var hasConfig = !reader.IsKohya && File.Exists(configPath);
        if (!hasConfig && !reader.IsAdapter)
            throw new MergeException(None(path, checkpoint));
        if (!hasConfig && checkpoint.Tensors.Keys.FirstOrDefault(AdapterNames.IsWrapped) is { } wrapped)
            throw new UnreadAdapterException(checkpoint.Path, [Unmerged(path, wrapped)]);
        if (reader.HasForeign)
            throw new UnreadAdapterException(checkpoint.Path, problems);
        var before = Errors().Length;
        var header = reader.IsKohya ? null : HeaderConfigs.Read(checkpoint, problems);
        var config = hasConfig ? AdapterConfig.Read(configPath, problems) : null;
        if (Errors() is { } refused && refused.Length > before)
            throw new UnreadAdapterException(checkpoint.Path, refused);
        if (!hasConfig && header is null && !reader.IsKohya && !reader.HasAlphas)
            throw new UnreadAdapterException(checkpoint.Path, [WithoutConfig(path, checkpoint, configPath)]);
        var modules = reader.Modules(config, header);
        if (Errors() is { Length: > 0 } errors)
            throw new MergeException(errors);
        problems.AddRange(Doubts(path, config, modules));
        return new Adapter(path, checkpoint)
        {
            Config = config,
            Header = header,
            ScaledBy = config is not null ? AdapterConfig.FileName : HeaderConfigs.ScaledBy(header, [.. modules.Keys]),
            Modules = modules,
            Saved = reader.Saved,
            Warnings = problems,
        };

        Diagnostic[] Errors() => [.. problems.Where(p => p.Severity == Severity.Error)];
    }

    private static IEnumerable<Diagnostic> Doubts(
        string path, AdapterConfig? config, IReadOnlyDictionary<string, AdapterModule> modules)
    {
        foreach (var (count, what) in new[]
        {
            (modules.Values.Count(m => m.Scale == 0), "0 in {0}: they change nothing"),
            (modules.Values.Count(m => m.Scale < 0), "negative in {0}: their change is subtracted"),
        })
        {
            if (count > 0)
            {
                var which = count == modules.Count ? "all modules" : $"{count} of {modules.Count} modules";
                yield return new Diagnostic($"alpha is {string.Format(CultureInfo.InvariantCulture, what, which)}")
                {
                    Severity = Severity.Warning,
                    Where = path,
                    Fix = "Look at lora_alpha and alpha_pattern in its config.",
                };
            }
        }
        string[] ignored = config is null ? [] : [.. modules.Keys.Where(m => !config.IsTarget(m))];
        if (ignored.Length > 0)
        {
            yield return new Diagnostic($"target_modules does not name '{ignored[0]}'"
                + (ignored.Length == 1 ? "" : $" and {ignored.Length - 1} more modules")
                + ", which the tensors are of: PEFT would leave them out")
            {
                Severity = Severity.Warning,
                Where = path,
                Expected = "config and tensors of one adapter",
                Fix = "Here they count. Correct target_modules, or get the adapter again.",
            };
        }
    }

    private static Diagnostic WithoutTensors(string path) => new("the adapter has a config, but no tensors")
    {
        Where = path,
        Expected = $"one of {string.Join(", ", TensorFiles)} beside {AdapterConfig.FileName}",
        Fix = "Finish the download.",
    };

    private static Diagnostic None(string path, Checkpoint? checkpoint) => new(checkpoint is null
        ? "there is no adapter: neither a config nor tensors"
        : $"this is no adapter: none of its tensors is a LoRA factor, the first is '{checkpoint.Tensors.Keys.FirstOrDefault()}'")
    {
        Where = path,
        Expected = $"{AdapterConfig.FileName} and {TensorFiles[0]}, or one file of LoRA factors",
        Fix = "Give the adapter's own folder or file. Models are merged by a recipe's 'models'.",
    };

    private static Diagnostic Unmerged(string path, string wrapped) => new(
        $"this is a model with adapters that are not merged into it: '{wrapped}' is the weight, its factors stand beside it")
    {
        Where = path,
        Expected = "a model, or an adapter",
        Fix = "Merge them with PEFT (merge_and_unload) and save the model, or save the adapter alone (save_pretrained).",
    };

    private static Diagnostic WithoutConfig(string path, Checkpoint checkpoint, string configPath) => new(
        $"the adapter has no config: its tensors ('{checkpoint.Tensors.Keys.First(AdapterNames.IsOfAdapter)}', …) are LoRA "
        + "factors, and nothing says their scale"
        + (checkpoint.Metadata.ContainsKey(HeaderConfigs.Key) ? $": the file's header ({HeaderConfigs.Key}) has no 'r', of any component" : ""))
    {
        Where = path,
        Expected = $"{configPath}, or an '.alpha' beside each pair"
            + (checkpoint.Metadata.ContainsKey(HeaderConfigs.Key) ? ", or 'r' and 'lora_alpha' in the header, behind the component's name" : ""),
        Fix = $"Put the {AdapterConfig.FileName} beside them with which they were trained; without it write one, for example "
            + "{\"peft_type\": \"LORA\", \"r\": 16, \"lora_alpha\": 16}: a change is lora_alpha/r · B·A.",
    };

    /// <summary>The names of a file's tensors, or of all that an index lists.</summary>
    private static IReadOnlyCollection<string> Names(string file)
    {
        if (file.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return [.. ShardIndex.Read(file).ShardOf.Keys];
        using var checkpoint = Checkpoint.Open(file);
        return [.. checkpoint.Tensors.Keys];
    }

    /// <summary>The one file of a folder that holds weights, or its index; null where there is no such.</summary>
    private static string? OnlyFile(string folder)
    {
        try
        {
            return CheckpointFolder.MainFile(folder);
        }
        catch (MergeException)
        {
            return null;
        }
    }

    private static string? TensorFile(string folder) =>
        TensorFiles.Select(f => System.IO.Path.Combine(folder, f)).FirstOrDefault(File.Exists);
}

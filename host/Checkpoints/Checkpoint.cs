using System.Text.Json.Nodes;
using Merge.Checkpoints.Distributed;
using Merge.Checkpoints.PyTorch;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>
/// A checkpoint whose headers have been read and checked: every tensor's place is known, none of its bytes are read.
/// Its files stay open until it is disposed.
/// </summary>
internal sealed class Checkpoint : IDisposable
{
    private readonly List<CheckpointFile> _files = [];
    private readonly OrderedDictionary<string, TensorSource> _tensors = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, TensorSource> _state = new(StringComparer.Ordinal);
    private readonly List<string> _notes = [];
    private readonly List<string> _weightNotes = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private bool _hasOptimizer;

    private Checkpoint(string path, string? folder)
    {
        Path = path;
        Folder = folder;
    }

    /// <summary>What was opened, as a full path: a folder, an index or a file.</summary>
    public string Path { get; }

    /// <summary>The folder a checkpoint or its index is; null for a file opened by itself.</summary>
    public string? Folder { get; }

    /// <summary>One file, or the shards sorted by name.</summary>
    public IReadOnlyList<CheckpointFile> Files => _files;

    /// <summary>
    /// Every tensor of every file, in the order of the files and of the bytes in them; those of a pickle in its order.
    /// The weights where a file holds more; where it holds an optimizer's state alone, that.
    /// </summary>
    public IReadOnlyDictionary<string, TensorSource> Tensors => _tensors.Count > 0 ? _tensors : _state;

    /// <summary>What an optimizer keeps, as <c>parameter.exp_avg_sq</c> and the like; empty where no file holds any.</summary>
    public IReadOnlyDictionary<string, TensorSource> State => _state;

    /// <summary>Why there is no <see cref="State"/> although a file holds one; null as a rule.</summary>
    public Diagnostic? StateProblem { get; private set; }

    /// <summary>Whether a file holds an optimizer's state, be it empty: weights beside it are never what second moments mean.</summary>
    public bool HasOptimizer => _hasOptimizer || _state.Count > 0 || StateProblem is not null;

    /// <summary>What was done to find the tensors, a sentence each: keys and prefixes that were unwrapped, what was left out.</summary>
    public IReadOnlyList<string> Notes => [.. _weightNotes, .. _notes];

    /// <summary>Those of <see cref="Notes"/> that hold for <see cref="State"/>.</summary>
    public IReadOnlyList<string> StateNotes => _notes;

    /// <summary>The <c>__metadata__</c> of all files; where they differ, that of the first.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>The config.json beside the weights, if there is one.</summary>
    public JsonObject? Config { get; private set; }

    /// <summary>Opens a folder, an index or a file, of safetensors or of PyTorch; or a folder of distributed training.</summary>
    /// <param name="path">Its path; <c>#key</c> behind it names one of several state dicts of a PyTorch file.</param>
    /// <exception cref="MergeException">With everything that is wrong with its headers.</exception>
    public static Checkpoint Open(string path)
    {
        var (plain, selected) = CheckpointKey.Split(path);
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(plain));
        var isFolder = Directory.Exists(full);
        if (!isFolder && !IsThere(full))
            throw new MergeException(Missing(full, "there is no such file or folder"));
        var training = isFolder ? TrainingFolder.Find(full) : null;
        var main = isFolder && training is null ? CheckpointFolder.MainFile(full) : full;
        var isIndex = main.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
        var holder = isFolder ? full : System.IO.Path.GetDirectoryName(main)!;
        var checkpoint = new Checkpoint(full, isFolder || isIndex ? holder : null);
        var problems = new List<Diagnostic>();
        try
        {
            if (selected is not null && (isIndex || training is not null || !IsPyTorch(main)))
                problems.Add(NoKeys(full, selected));
            else if (training is not null)
                checkpoint.Add(training, problems);
            else if (isIndex)
                checkpoint.AddShards(ShardIndex.Read(main), problems);
            else
                checkpoint.Add(main, problems, selected: selected);
            var config = System.IO.Path.Combine(holder, "config.json");
            Collect(problems, () => checkpoint.Config = JsonFile.ReadObject(config));
            if (problems.Count > 0)
                throw new MergeException(problems);
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Tensors that are put together while they are read, as a checkpoint.</summary>
    /// <param name="path">What it is of, for messages.</param>
    /// <param name="tensors">In order, by name.</param>
    /// <param name="files">What is read for them; not closed with it.</param>
    public static Checkpoint Of(
        string path, IEnumerable<KeyValuePair<string, TensorSource>> tensors, IEnumerable<CheckpointFile> files)
    {
        var checkpoint = new Checkpoint(path, null) { OwnsFiles = false };
        checkpoint._files.AddRange(files);
        foreach (var (name, tensor) in tensors)
            checkpoint._tensors.Add(name, tensor);
        return checkpoint;
    }

    /// <summary>The same checkpoint with other tensors in the place of some, or beside them.</summary>
    /// <param name="tensors">By name.</param>
    /// <param name="files">What is read for them besides; not closed with it, nor are this one's.</param>
    /// <param name="config">Takes the place of the config.</param>
    /// <param name="key">What tells it from others of the same path.</param>
    public Checkpoint With(
        IReadOnlyDictionary<string, TensorSource> tensors, IEnumerable<CheckpointFile> files, JsonObject? config, string key)
    {
        var changed = new Checkpoint(Path, Folder)
        {
            OwnsFiles = false,
            Config = config,
            Key = key,
            HasOwnConfig = !ReferenceEquals(config, Config),
        };
        changed._files.AddRange(_files.Concat(files).Distinct());
        foreach (var (name, tensor) in _tensors)
            changed._tensors.Add(name, tensors.GetValueOrDefault(name, tensor));
        foreach (var (name, tensor) in tensors)
            changed._tensors.TryAdd(name, tensor);
        foreach (var (name, value) in _metadata)
            changed._metadata.Add(name, value);
        return changed;
    }

    public void Dispose()
    {
        if (OwnsFiles)
            _files.ForEach(f => f.Dispose());
    }

    /// <summary>Its path, and what is in it besides: equal for equal weights.</summary>
    public string Key { get => field ?? Path; private init; }

    /// <summary>Whether the config says something else than the file beside the weights.</summary>
    public bool HasOwnConfig { get; private init; }

    private bool OwnsFiles { get; init; } = true;

    private void AddShards(ShardIndex index, List<Diagnostic> problems)
    {
        var read = new HashSet<string>(StringComparer.Ordinal);
        var indexName = System.IO.Path.GetFileName(index.Path);
        foreach (var shard in index.Shards)
        {
            var path = System.IO.Path.Combine(Folder!, shard);
            if (!IsThere(path))
                problems.Add(Missing(path, $"the shard is missing, but {indexName} names it"));
            else if (Add(path, problems, index, shard))
                read.Add(shard);
        }
        foreach (var (name, shard) in index.ShardOf)
        {
            if (read.Contains(shard) && !_tensors.ContainsKey(name))
            {
                problems.Add(new Diagnostic($"tensor '{name}' is not in its shard '{shard}'")
                {
                    Where = index.Path,
                    Fix = "Index and shards are of different downloads or saves: get them again.",
                });
            }
        }
    }

    private bool Add(
        string path, List<Diagnostic> problems, ShardIndex? index = null, string? shard = null, string? selected = null)
    {
        return Collect(problems, () =>
        {
            foreach (var tensor in IsPyTorch(path) ? ReadPyTorch(path, index is not null, selected) : ReadSafetensors(path))
            {
                if (index is not null && index.ShardOf.GetValueOrDefault(tensor.Name) != shard)
                    problems.Add(Unlisted(tensor, index));
                else
                    _tensors.Add(tensor.Name, tensor);
            }
        });
    }

    private void Add(TrainingFolder training, List<Diagnostic> problems)
    {
        var content = new TrainingContent(_files);
        Collect(content.Problems, () =>
        {
            try
            {
                training.Read(training.Path, content);
            }
            catch (Exception e) when (FileProblem.Is(e))
            {
                throw FileProblem.Reading(training.Path, e);
            }
        });
        if (content.Weights.Keys.FirstOrDefault(n => n is "" or "__metadata__") is { } name)
            content.Report(training.Path, $"a tensor is named '{name}'", "a name that safetensors can hold", "Rename it in Python.");
        if (content.Problems.Count == 0 && content.Weights.Count == 0 && content.State.Count == 0)
            content.Report(training.Path, "the folder holds no weights and no optimizer's state");
        problems.AddRange(content.Problems);
        foreach (var (key, tensor) in content.Weights)
            _tensors.Add(key, tensor);
        foreach (var (key, tensor) in content.State)
            _state.Add(key, tensor);
        _notes.AddRange(content.Notes);
        StateProblem = content.StateProblem;
    }

    private IReadOnlyList<TensorSource> ReadSafetensors(string path)
    {
        var file = CheckpointFile.Open(path);
        _files.Add(file);
        var header = SafetensorsHeader.Read(file);
        foreach (var (key, value) in header.Metadata)
            _metadata.TryAdd(key, value);
        return header.Tensors;
    }

    private TensorSource[] ReadPyTorch(string path, bool keepsNames, string? selected)
    {
        var file = CheckpointFile.OpenAny(path);
        _files.Add(file);
        var saved = PyTorchFile.Read(file);
        var weights = StateDict.Find(path, saved.Root, keepsNames, selected);
        _weightNotes.AddRange(weights.Notes);
        _hasOptimizer |= OptimizerState.IsIn(saved.Root);
        TensorSource[] tensors = [.. weights.Tensors.Select(t => saved.Tensor(t.Name, t.Tensor))];
        var state = OptimizerState.Find(path, saved.Root, Model, out var problem);
        StateProblem = problem;
        if (weights.Tensors.Count == 0 && state.Count == 0)
            throw new MergeException(problem ?? new Diagnostic("the optimizer's state is empty") { Where = path });
        foreach (var (name, tensor) in state)
            _state.TryAdd(name, saved.Tensor(name, tensor));
        return tensors;

        IReadOnlyList<ModelParameter> Model() =>
            tensors.Length > 0 || keepsNames ? ModelParameter.Of(tensors) : ModelBeside(path);
    }

    /// <summary>The parameters of the PyTorch model in a file's folder: training saves it beside its optimizer.</summary>
    private static IReadOnlyList<ModelParameter> ModelBeside(string path)
    {
        var folder = System.IO.Path.GetDirectoryName(path)!;
        string[] files = [CheckpointFolder.PyTorchIndexFile, CheckpointFolder.PyTorchSingleFile];
        if (files.Select(f => System.IO.Path.Combine(folder, f)).FirstOrDefault(f => f != path && IsThere(f)) is not { } file)
            return [];
        using var model = Open(file);
        return ReferenceEquals(model.Tensors, model.State) ? [] : ModelParameter.Of(model.Tensors.Values);
    }

    // By its name; where that says nothing, by its first bytes.
    private static bool IsPyTorch(string path)
    {
        if (CheckpointFolder.IsPyTorch(path) || path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase))
            return CheckpointFolder.IsPyTorch(path);
        using var file = CheckpointFile.OpenAny(path);
        return PyTorchFile.Begins(file);
    }

    private static Diagnostic NoKeys(string path, string key) => new($"'#{key}' stands behind what is no PyTorch file")
    {
        Where = path,
        Expected = "a key of a PyTorch file that holds several state dicts",
        Fix = "Leave it out.",
    };

    private static Diagnostic Unlisted(TensorSource tensor, ShardIndex index)
    {
        var found = index.ShardOf.TryGetValue(tensor.Name, out var listed)
            ? $"tensor '{tensor.Name}' is in two shards: this one and '{listed}', where the index has it"
            : $"tensor '{tensor.Name}' is in this shard, but not in the index";
        return new Diagnostic(found)
        {
            Where = tensor.Files.First().Path,
            Fix = "Index and shards are of different downloads or saves: get them again.",
        };
    }

    // File.Exists is true for a link whose target is not.
    private static bool IsThere(string path) =>
        File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is not { Exists: false };

    // A link without its target is an unfinished download in the Hugging Face cache: worth saying.
    private static Diagnostic Missing(string path, string found)
    {
        var target = new FileInfo(path).LinkTarget;
        var link = target is null ? "" : $" (it is a symbolic link to '{target}', which is not there)";
        return new Diagnostic(found + link)
        {
            Where = path,
            Fix = target is null ? null : "Finish the download.",
        };
    }

    private static bool Collect(List<Diagnostic> problems, Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (MergeException e)
        {
            problems.AddRange(e.Diagnostics);
            return false;
        }
    }
}

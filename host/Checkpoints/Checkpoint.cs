using System.Text.Json.Nodes;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>
/// A checkpoint whose headers have been read and checked: every tensor's place is known, none of its bytes are read.
/// Its files stay open until it is disposed.
/// </summary>
internal sealed class Checkpoint : IDisposable
{
    private readonly List<CheckpointFile> _files = [];
    private readonly Dictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

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

    /// <summary>Every tensor of every file.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Tensors => _tensors;

    /// <summary>The <c>__metadata__</c> of all files; where they differ, that of the first.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>The config.json beside the weights, if there is one.</summary>
    public JsonObject? Config { get; private set; }

    /// <summary>Opens a folder, an index or a safetensors file.</summary>
    /// <exception cref="MergeException">With everything that is wrong with its headers.</exception>
    public static Checkpoint Open(string path)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        var isFolder = Directory.Exists(full);
        if (!isFolder && !IsThere(full))
            throw new MergeException(Missing(full, "there is no such file or folder"));
        if (!isFolder && CheckpointFolder.IsPyTorch(full))
            throw new MergeException(CheckpointFolder.PyTorchFile(full, System.IO.Path.GetFileName(full)));
        var main = isFolder ? CheckpointFolder.MainFile(full) : full;
        var isIndex = main.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
        var holder = System.IO.Path.GetDirectoryName(main)!;
        var checkpoint = new Checkpoint(full, isFolder || isIndex ? holder : null);
        var problems = new List<Diagnostic>();
        try
        {
            if (isIndex)
                checkpoint.AddShards(ShardIndex.Read(main), problems);
            else
                checkpoint.Add(main, problems);
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

    public void Dispose() => _files.ForEach(f => f.Dispose());

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

    private bool Add(string path, List<Diagnostic> problems, ShardIndex? index = null, string? shard = null)
    {
        return Collect(problems, () =>
        {
            var file = CheckpointFile.Open(path);
            _files.Add(file);
            var header = SafetensorsHeader.Read(file);
            foreach (var (key, value) in header.Metadata)
                _metadata.TryAdd(key, value);
            foreach (var tensor in header.Tensors)
            {
                if (index is not null && index.ShardOf.GetValueOrDefault(tensor.Name) != shard)
                    problems.Add(Unlisted(tensor, index));
                else
                    _tensors.Add(tensor.Name, tensor);
            }
        });
    }

    private static Diagnostic Unlisted(StoredTensor tensor, ShardIndex index)
    {
        var found = index.ShardOf.TryGetValue(tensor.Name, out var listed)
            ? $"tensor '{tensor.Name}' is in two shards: this one and '{listed}', where the index has it"
            : $"tensor '{tensor.Name}' is in this shard, but not in the index";
        return new Diagnostic(found)
        {
            Where = tensor.File.Path,
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

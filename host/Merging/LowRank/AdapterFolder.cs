using System.Buffers;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging.LowRank;

/// <summary>The folder beside the final one in which an adapter is made; what a killed run left of it is begun anew.</summary>
internal sealed class AdapterFolder : IDisposable
{
    private const string FactorsName = "factors.tmp";
    private const int Piece = 1 << 18;
    private const long LargestAdapter = 1L << 30;

    private readonly string _path;
    private bool _isComplete;

    private AdapterFolder(string path, FactorFile factors) => (_path, Factors) = (path, factors);

    /// <summary>Factors of finished modules; also the lock that keeps a second run away.</summary>
    public FactorFile Factors { get; }

    public static AdapterFolder Open(string final)
    {
        var path = PartialFolder.PathFor(final);
        var factors = Path.Combine(path, FactorsName);
        if (Directory.Exists(path) && !File.Exists(factors) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new MergeException(new Diagnostic("a folder of this name is needed for the unfinished output, and it is not one")
            {
                Where = path,
                Fix = "Choose another output folder, or move this one away.",
            })
            { WrongUsage = true };
        }
        try
        {
            Directory.CreateDirectory(path);
            return new(path, new FactorFile(factors));
        }
        catch (Exception e) when (FileProblem.Is(e))
        {
            throw new MergeException(new Diagnostic($"the output cannot be made: {e.Message}")
            {
                Where = path,
                Fix = File.Exists(factors)
                    ? "Another merge may be writing this output: wait for it, or choose another folder."
                    : "Choose a folder you may write to.",
            }, e);
        }
    }

    /// <summary>The adapter's files, from its finished modules.</summary>
    public void Write(MergePlan made, IReadOnlyDictionary<string, StoredModule> modules)
    {
        var merge = made.Adapter!;
        var tensors = new List<(OutputTensor Tensor, long At)>();
        foreach (var (name, stored) in modules)
        {
            if (stored.Tensors is { } module)
            {
                var (a, b) = (module.A(merge.IsKohya), module.B(merge.IsKohya));
                tensors.Add((new(a.Name, merge.OutType, a.Shape), stored.Left));
                tensors.Add((new(b.Name, merge.OutType, b.Shape), stored.Right));
                if (merge.IsKohya)
                    tensors.Add((new($"{module.Name}.alpha", DType.F32, []), Factors.Append([module.Rank])));
            }
            else if (stored.Left >= 0)
            {
                tensors.Add((new(AdapterTensors.Saved(name, modules.Values.Select(m => m.Tensors?.Name)), merge.OutType, made.Tensors.First(t => t.Info.Name == name).Info.Shape), stored.Left));
            }
        }
        if (modules.Values.All(m => m.Tensors is null))
        {
            throw new MergeException(new Diagnostic("no module's change is left: there is no adapter to write")
            {
                Expected = "at least one module that changes",
                Fix = merge.IsExtracted ? "The two models have the same linear layers: give another pair."
                    : "Look at the weights, and at what is merged.",
            });
        }
        var layout = SafetensorsLayout.Of(
            tensors.Select(t => t.Tensor), long.MaxValue, new Dictionary<string, string> { ["format"] = "pt" }, Adapter.TensorFiles[0]);
        DiskSpace.Check(_path, layout.Size);
        uint crc;
        using (var writer = OutputWriter.Create(_path, layout))
        {
            crc = Crc32C.Append(0, layout.Files[0].Header);
            foreach (var (tensor, at) in tensors.OrderBy(t => layout.Placements[t.Tensor.Name].Offset))
                crc = Copy(tensor, at, layout.Placements[tensor.Name], writer, crc);
            writer.Sync();
        }
        var plan = made with { Layout = layout };
        if (!merge.IsKohya)
        {
            File.WriteAllText(Path.Combine(_path, AdapterConfig.FileName), MergedConfig.Text(
                merge.Adapters,
                modules.Values.Where(m => m.Tensors is not null).ToDictionary(m => m.Tensors!.Name, m => m.Rank),
                [.. modules.Where(m => m.Value is { Tensors: null, Left: >= 0 }).Select(m => m.Key)],
                merge.BaseModel,
                merge.AllModules,
                merge.FanInFanOut));
        }
        File.WriteAllText(Path.Combine(_path, ModelCard.FileName), ModelCard.Of(plan, "adapter", BaseOf(merge) ?? ""));
        File.WriteAllText(Path.Combine(_path, MergeToFolder.RecipeFileName), plan.Origin.Text);
        Manifest.Write(
            Path.Combine(_path, Manifest.FileName), plan, [.. plan.InputFiles.Select(f => Whole(f.File))], [crc], sha256: false);
    }

    /// <summary>Gives the folder its final name.</summary>
    public void Complete(string final, MergePlan plan, bool force)
    {
        FolderSync.WithFiles(_path, except: FactorsName);
        Factors.Dispose();
        OutputTarget.Check(final, plan, force);
        // Moved aside first: whenever this is killed, one of the two is there, complete.
        var replaced = $"{final}.replaced";
        if (Directory.Exists(final))
        {
            if (Directory.Exists(replaced))
                Directory.Delete(replaced, recursive: true);
            Directory.Move(final, replaced);
        }
        Directory.Move(_path, final);
        FolderSync.Names(Path.GetDirectoryName(final)!);
        _isComplete = true;
        if (Directory.Exists(replaced))
            Directory.Delete(replaced, recursive: true);
    }

    public void Dispose()
    {
        Factors.Dispose();
        if (!_isComplete && Directory.Exists(_path))
            Directory.Delete(_path, recursive: true);
    }

    private static string? BaseOf(AdapterOutput merge)
    {
        string?[] named = [.. merge.Adapters.Select(a => a.Config?.BaseModel).Distinct()];
        return merge.BaseModel ?? (named.Length == 1 ? named[0] : null);
    }

    private uint Copy(OutputTensor tensor, long at, Placement place, OutputWriter writer, uint crc)
    {
        var count = tensor.Shape.Aggregate(1L, (p, s) => p * s);
        var size = tensor.DType.Bits() / 8;
        var (values, bytes) = (ArrayPool<float>.Shared.Rent(Piece), ArrayPool<byte>.Shared.Rent(Piece * size));
        for (var first = 0L; first < count; first += Piece)
        {
            var part = (int)Math.Min(Piece, count - first);
            Factors.Read(at + (first * sizeof(float)), values.AsSpan(0, part));
            var stored = bytes.AsSpan(0, part * size);
            StoredValues.Encode(tensor.DType, values.AsSpan(0, part), stored);
            writer.Write(place.File, place.Offset + (first * size), stored);
            crc = Crc32C.Append(crc, stored);
        }
        ArrayPool<float>.Shared.Return(values);
        ArrayPool<byte>.Shared.Return(bytes);
        return crc;
    }

    // An adapter is small: its file is read once more for the manifest. The models of an extraction are not.
    private static uint? Whole(CheckpointFile file)
    {
        if (file.Size > LargestAdapter)
            return null;
        using var buffer = new NativeBuffer();
        uint crc = 0;
        for (long at = 0; at < file.Size;)
        {
            var part = buffer.Take((int)Math.Min(1 << 20, file.Size - at));
            file.Read(at, part);
            crc = Crc32C.Append(crc, part);
            at += part.Length;
        }
        return crc;
    }
}

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

    /// <param name="final">The folder's final name.</param>
    /// <param name="needed">See <see cref="FactorFile"/>; must be free.</param>
    /// <param name="isAll">Whether it may not need more.</param>
    public static AdapterFolder Open(string final, long needed, bool isAll)
    {
        var path = PartialFolder.PathFor(final);
        DiskSpace.Check(path, needed);
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
            return new(path, new FactorFile(factors, isAll ? needed : 0));
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
    public void Write(
        MergePlan made, IReadOnlyDictionary<string, StoredModule> modules, MergeContext context, CancellationTokenSource stop)
    {
        var merge = made.Adapter!;
        if (modules.Values.All(m => m.Tensors is null))
        {
            throw new MergeException(new Diagnostic("no module's change is left: there is no adapter to write")
            {
                Expected = "at least one module that changes",
                Fix = merge.IsExtracted ? "All modules that are adapted are the same in both models; PEFT loads no adapter without at least one module with factors. Name one that differs with --target, or give another pair."
                    : "Look at the weights, and at what is merged.",
            });
        }
        var parts = Parts(made, modules);
        var ranks = modules.Values.Where(m => m.Tensors is not null).ToDictionary(m => m.Tensors!.Name, m => m.Rank);
        var layout = SafetensorsLayout.Of(parts.Select(t => t.Tensor), long.MaxValue, merge.Header(ranks), Adapter.TensorFiles[0]);
        DiskSpace.Check(_path, layout.Size);
        context.Progress.Expect(layout.Size);
        var crc = Crc32C.Append(0, layout.Files[0].Header);
        using (var writer = OutputWriter.Create(_path, layout))
        {
            WrittenPart[] written = [.. parts.Select(p => new WrittenPart(p, layout.Placements[p.Tensor.Name], writer, context.Progress))];
            new Scheduler(context.Settings.Threads, stop).Run(written);
            foreach (var part in written.OrderBy(p => p.Place.Offset))
                crc = Crc32C.Combine(crc, part.Checksum, part.Place.Length);
            writer.Sync();
        }
        var plan = made with { Layout = layout };
        if (merge.HasConfig)
        {
            File.WriteAllText(Path.Combine(_path, AdapterConfig.FileName), MergedConfig.Text(
                merge.Adapters,
                ranks,
                [.. modules.Where(m => m.Value is { Tensors: null, Left: >= 0 }).Select(m => m.Key)],
                merge.BaseModel,
                merge.AllModules,
                merge.FanInFanOut));
        }
        File.WriteAllText(Path.Combine(_path, ModelCard.FileName), ModelCard.Of(plan, "adapter", BaseOf(merge) ?? ""));
        File.WriteAllText(Path.Combine(_path, MergeToFolder.RecipeFileName), plan.Origin.Text);
        Manifest.Write(
            Path.Combine(_path, Manifest.FileName), plan,
            [.. plan.InputFiles.Select(f => context.Checksums.Of(f.File) ?? Whole(f.File))], [crc],
            context.Algebra.Name, sha256: false);
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

    private List<Part> Parts(MergePlan made, IReadOnlyDictionary<string, StoredModule> modules)
    {
        var merge = made.Adapter!;
        var parts = new List<Part>();
        foreach (var (name, stored) in modules)
        {
            if (stored.Tensors is { } module)
            {
                var (a, b) = (module.A(!merge.HasConfig), module.B(!merge.HasConfig));
                var (tensorA, tensorB) = (new OutputTensor(a.Name, merge.OutType, a.Shape), new OutputTensor(b.Name, merge.OutType, b.Shape));
                var side = stored.Concatenated;
                parts.Add(new(tensorA, side is null ? Stored(tensorA, stored.Left) : write => side.WriteA(merge.OutType, write)));
                parts.Add(new(tensorB, side is null ? Stored(tensorB, stored.Right) : write => side.WriteB(merge.OutType, write)));
                if (merge.HasAlphas)
                {
                    var alpha = new OutputTensor($"{module.Name}.alpha", DType.F32, []);
                    parts.Add(new(alpha, Stored(alpha, Factors.Append([module.Rank]))));
                }
            }
            else if (stored.Left >= 0)
            {
                var tensor = new OutputTensor(
                    AdapterTensors.Saved(name, modules.Values.Select(m => m.Tensors?.Name)),
                    merge.OutType,
                    made.Tensors.First(t => t.Info.Name == name).Info.Shape);
                parts.Add(new(tensor, Stored(tensor, stored.Left)));
            }
        }
        return parts;
    }

    /// <summary>What lies in the factor file.</summary>
    private Action<Action<long, ReadOnlySpan<byte>>> Stored(OutputTensor tensor, long at) => write =>
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
            write(first * size, stored);
        }
        ArrayPool<float>.Shared.Return(values);
        ArrayPool<byte>.Shared.Return(bytes);
    };

    /// <param name="Tensor">What is written.</param>
    /// <param name="Values">Gives its bytes, in order, each piece with its offset.</param>
    private sealed record Part(OutputTensor Tensor, Action<Action<long, ReadOnlySpan<byte>>> Values);

    private sealed class WrittenPart(Part part, Placement place, OutputWriter writer, RunProgress progress) : IJob
    {
        public Placement Place => place;

        /// <summary>CRC-32C of its bytes, once it has run.</summary>
        public uint Checksum { get; private set; }

        public Phase? Next()
        {
            part.Values((at, bytes) =>
            {
                writer.Write(place.File, place.Offset + at, bytes);
                Checksum = Crc32C.Append(Checksum, bytes);
                progress.Wrote(bytes.Length);
                progress.Finish(bytes.Length);
            });
            return null;
        }
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

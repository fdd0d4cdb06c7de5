using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// The folder beside the final one in which a merge is made: <c>OUT.partial</c>. It holds the output files and the
/// journal of finished tensors; when all is written and synced it gets its final name. A folder under its final name
/// is therefore complete.
/// </summary>
internal sealed class PartialFolder : ITensorSink, IDisposable
{
    private const string JournalName = "journal.jsonl";

    private readonly MergePlan _plan;
    private readonly Journal _journal;
    private readonly OutputWriter _writer;
    private readonly Checksums _checksums;
    private readonly AlgebraUse _algebra;
    private readonly Dictionary<string, uint> _outputChecksums = [];
    private readonly Lock _gate = new();

    private PartialFolder(
        string path, MergePlan plan, Checksums checksums, AlgebraUse algebra, Journal journal, OutputWriter writer)
    {
        Path = path;
        _plan = plan;
        _checksums = checksums;
        _algebra = algebra;
        _journal = journal;
        _writer = writer;
    }

    public string Path { get; }

    /// <summary>Tensors that an earlier run has written and whose bytes are still what it wrote.</summary>
    public IReadOnlySet<string> Finished { get; private set; } = new HashSet<string>();

    public static string PathFor(string final) => final + ".partial";

    /// <summary>Opens the partial folder of an output: where an earlier run of the same merge stopped, or empty.</summary>
    /// <param name="final">The output's final name.</param>
    /// <param name="plan">What is merged.</param>
    /// <param name="checksums">Takes the checksums of what an earlier run read.</param>
    /// <param name="algebra">Takes what an earlier run computed with; what another computed is done again.</param>
    /// <param name="force">Whether another merge's unfinished work may be given up.</param>
    public static PartialFolder Open(
        string final, MergePlan plan, Checksums checksums, AlgebraUse algebra, bool force = false)
    {
        var path = PathFor(final);
        var journalPath = System.IO.Path.Combine(path, JournalName);
        if (Directory.Exists(path) && !File.Exists(journalPath) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new MergeException(new Diagnostic("a folder of this name is needed for the unfinished output, and it is not one")
            {
                Where = path,
                Fix = "Choose another output folder, or move this one away.",
            })
            { WrongUsage = true };
        }
        Journal? journal = null;
        OutputWriter? writer = null;
        try
        {
            Directory.CreateDirectory(path);
            journal = Journal.Open(journalPath, Fingerprint.Of(plan), force);
            var resumes = journal.Entries.Count > 0;
            if (!resumes)
            {
                DeleteAllBut(path, JournalName);
                DiskSpace.Check(path, plan.Layout.Size);
            }
            writer = resumes ? OutputWriter.Resume(path, plan.Layout) : OutputWriter.Create(path, plan.Layout);
            var folder = new PartialFolder(path, plan, checksums, algebra, journal, writer);
            folder.TakeUp();
            return folder;
        }
        catch (Exception fault)
        {
            writer?.Dispose();
            journal?.Dispose();
            // Nothing is finished in it that a later run could take over.
            if (journal is { Entries.Count: 0 })
                Directory.Delete(path, recursive: true);
            throw fault is IOException or UnauthorizedAccessException ? Unusable(path, plan, fault) : fault;
        }
    }

    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes)
    {
        var place = _plan.Layout.Placements[tensor];
        _writer.Write(place.File, place.Offset + offset, bytes);
    }

    public void Finish(TensorPlan tensor, uint checksum)
    {
        lock (_gate)
            _outputChecksums[tensor.Info.Name] = checksum;
        _journal.Add(new JournalEntry(tensor.Info.Name, checksum, [.. tensor.Inputs.Select(_checksums.Of)], _algebra.NameFor(tensor.Info.Name)));
    }

    /// <summary>CRC-32C of each output file, in the order of the layout.</summary>
    public IReadOnlyList<uint> FileChecksums() =>
    [
        .. _plan.Layout.Files.Select((file, number) => _plan.Layout.Placements
            .Where(p => p.Value.File == number)
            .OrderBy(p => p.Value.Offset)
            .Aggregate(
                Crc32C.Append(0, file.Header),
                (crc, tensor) => Crc32C.Combine(crc, _outputChecksums[tensor.Key], tensor.Value.Length))),
    ];

    /// <summary>
    /// Syncs everything and gives the folder its final name. The journal stays, and stays locked, until then: a run
    /// killed before goes on from here, and no other can start in between.
    /// </summary>
    /// <param name="final">The final name.</param>
    /// <param name="force">Whether an earlier merge's folder of that name may be replaced.</param>
    /// <returns>A folder that was replaced and could not be removed; null as a rule.</returns>
    public string? Complete(string final, bool force)
    {
        _writer.Sync();
        _writer.Dispose();
        FolderSync.WithFiles(Path, except: JournalName);
        // The run may have taken hours: what stands there now need not be what stood there when it began.
        OutputTarget.Check(final, _plan, force);
        string? replaced = null;
        if (Directory.Exists(final))
        {
            replaced = Enumerable.Range(0, int.MaxValue)
                .Select(i => $"{final}.replaced{(i == 0 ? "" : $"-{i}")}")
                .First(name => !System.IO.Path.Exists(name));
            Directory.Move(final, replaced);
        }
        Directory.Move(Path, final);
        FolderSync.Names(System.IO.Path.GetDirectoryName(final)!);
        File.Delete(System.IO.Path.Combine(final, JournalName));
        _journal.Dispose();
        return replaced is null || Removed(replaced) ? null : replaced;
    }

    private static bool Removed(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
            return true;
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            return false;
        }
    }

    /// <summary>Removes the folder: the merge cannot be finished as it is.</summary>
    public void Abandon()
    {
        Dispose();
        Directory.Delete(Path, recursive: true);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _journal.Dispose();
    }

    /// <summary>Trusts of the journal only what the files still bear out: a power cut may have lost written bytes.</summary>
    private void TakeUp()
    {
        if (_journal.Entries.Count == 0)
            return;
        var finished = new HashSet<string>();
        var planned = _plan.Tensors.ToDictionary(t => t.Info.Name);
        CheckpointFile[] files = [.. _plan.Layout.Files.Select(f => CheckpointFile.Open(System.IO.Path.Combine(Path, f.Name)))];
        foreach (var entry in _journal.Entries)
        {
            if (!_plan.Layout.Placements.TryGetValue(entry.Tensor, out var place)
                || Reread(files[place.File], place) != entry.Checksum
                || !_algebra.TakeOver(entry.Tensor, entry.LinearAlgebra))
            {
                continue;
            }
            finished.Add(entry.Tensor);
            _outputChecksums[entry.Tensor] = entry.Checksum;
            foreach (var (input, checksum) in planned[entry.Tensor].Inputs.Zip(entry.Inputs))
            {
                if (checksum is { } known)
                    _checksums.Set(input, known);
            }
        }
        foreach (var file in files)
            file.Dispose();
        Finished = finished;
    }

    private static uint Reread(CheckpointFile file, Placement place)
    {
        using var buffer = new NativeBuffer();
        uint checksum = 0;
        for (long at = 0; at < place.Length;)
        {
            var part = buffer.Take((int)Math.Min(1 << 20, place.Length - at));
            file.Read(place.Offset + at, part);
            checksum = Crc32C.Append(checksum, part);
            at += part.Length;
        }
        return checksum;
    }

    private static void DeleteAllBut(string folder, string name)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos().Where(e => e.Name != name))
        {
            if (entry is DirectoryInfo directory)
                directory.Delete(recursive: true);
            else
                entry.Delete();
        }
    }

    private static MergeException Unusable(string path, MergePlan plan, Exception fault) => FileProblem.IsDiskFull(fault)
        ? FileProblem.Writing(path, plan.Layout.Size, fault)
        : new(
            new Diagnostic($"the output cannot be made: {fault.Message}")
            {
                Where = path,
                Fix = fault is IOException && File.Exists(System.IO.Path.Combine(path, JournalName))
                    ? "Another merge may be writing this output: wait for it, or choose another folder."
                    : "Choose a folder you may write to.",
            },
            fault);
}

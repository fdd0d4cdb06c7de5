using System.Collections.Concurrent;
using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>
/// Where the candidates of one plan wait for their scores: in this process's memory where nobody needs files, else as
/// complete model folders, in shared memory where they fit and on disk where not.
/// </summary>
internal sealed class CandidatePlace : IDisposable
{
    // Of what is free: others use the machine, too.
    private const double Share = 0.75;

    private readonly MergePlan _plan;
    private readonly CandidateShape _shape;
    private readonly OwnFolder? _folder;
    private readonly IReadOnlyList<string> _companions = [];
    private readonly ConcurrentBag<NativeBlock> _blocks = [];
    private int _made;
    private bool _isDisposed;

    private CandidatePlace(MergePlan plan, string? root, long usable, string where)
    {
        (_plan, _shape) = (plan, new(plan));
        (Place, Room) = (where, usable);
        var bytes = _shape.Bytes;
        if (root is not null)
        {
            _folder = OwnFolder.Create(root);
            try
            {
                _companions = plan.Adapter is null ? Companions(plan, _folder.Path) : [];
                bytes = plan.Layout.Size + _companions.Sum(f => new FileInfo(f).Length);
            }
            catch (Exception fault)
            {
                _folder.Dispose();
                if (FileProblem.Is(fault))
                    throw FileProblem.Writing(root, plan.Layout.Size, fault);
                throw;
            }
        }
        CandidateBytes = Math.Max(1, bytes);
        Fits = (int)Math.Min(int.MaxValue, usable / CandidateBytes);
    }

    /// <summary>How many candidates may be there at once, at least 1: more are made in several passes.</summary>
    public int Fits { get; }

    /// <summary>Bytes that all of them may take together.</summary>
    public long Room { get; }

    /// <summary>What one takes.</summary>
    public long CandidateBytes { get; }

    /// <summary>Where they are, in words.</summary>
    public string Place { get; }

    /// <summary>Chooses the place.</summary>
    /// <param name="plan">What is merged.</param>
    /// <param name="recipe">What the recipe asks for.</param>
    /// <param name="needsFolder">Whether the evaluator needs files: <see cref="Scorer.NeedsFolder"/>.</param>
    /// <param name="searchFolder">Takes candidates on disk unless the recipe names a folder.</param>
    /// <param name="recipePath">The recipe: its folder is what a folder it names is relative to.</param>
    /// <param name="wanted">Candidates of one generation: memory is preferred where as many fit.</param>
    /// <param name="media">What the machine has room for.</param>
    /// <exception cref="MergeException">Not even one fits, or the folder cannot be written.</exception>
    public static CandidatePlace Open(MergePlan plan, CandidatesRecipe recipe, bool needsFolder, string searchFolder,
        string recipePath, int wanted, CandidateMedia? media = null)
    {
        media ??= new();
        // An adapter's ranks, and so its bytes, are known once it is merged: it is always a folder.
        needsFolder |= plan.Adapter is not null;
        var shared = needsFolder ? media.SharedMemory : null;
        var memory = needsFolder && shared is null ? 0 : media.FreeMemory();
        if (shared is not null)
            memory = Math.Min(memory, media.Free(shared) ?? 0);
        var disk = recipe.Folder is null
            ? Path.Combine(searchFolder, "candidates")
            : Path.GetFullPath(recipe.Folder, Path.GetDirectoryName(Path.GetFullPath(recipePath))!);
        // The size is known but for a few small files: what is just too small is found out when it is opened.
        var size = Math.Max(1, plan.Layout.Size);
        var (inMemory, onDisk) = (Usable(memory), Usable(media.Free(disk) ?? long.MaxValue));
        var takesMemory = recipe.Place switch
        {
            CandidatesIn.Memory => true,
            CandidatesIn.Disk => false,
            _ => inMemory / size >= wanted || (inMemory >= size && onDisk < size),
        };
        var place = takesMemory
            ? new CandidatePlace(plan, shared, inMemory, shared is null ? "memory" : $"shared memory ({shared})")
            : new CandidatePlace(plan, disk, onDisk, disk);
        if (place.Fits > 0)
            return place;
        place.Dispose();
        throw TooSmall(place, takesMemory ? memory : media.Free(disk) ?? 0, recipe, recipePath);

        long Usable(long free) => Math.Min((long)(free * Share), recipe.Quota ?? long.MaxValue);
    }

    /// <summary>Makes room for a candidate; to be disposed when it is scored.</summary>
    /// <param name="id">See <see cref="Candidate.Id"/>.</param>
    /// <param name="values">See <see cref="Candidate.Values"/>.</param>
    /// <param name="label">See <see cref="StoredCandidate.Label"/>.</param>
    /// <exception cref="MergeException">The place is full, or cannot be written.</exception>
    public StoredCandidate Create(string id, IReadOnlyDictionary<string, double> values, string label)
    {
        if (_folder is null)
        {
            if (!_blocks.TryTake(out var block))
                block = new(_shape.Bytes);
            return new MemoryCandidate(id, values, _shape, block, GiveBack) { Label = label };
        }
        var folder = NewFolder();
        if (_plan.Adapter is not null)
            return new AdapterCandidate(id, values, folder) { Label = label };
        return new FolderCandidate(id, values, folder, _plan.Layout, _shape, _companions) { Label = label };
    }

    /// <summary>The path of a folder for one; only where they are folders.</summary>
    public string NewFolder() => Path.Combine(
        (_folder ?? throw new InvalidOperationException("candidates are in memory")).Path, Interlocked.Increment(ref _made).ToString());

    public void Dispose()
    {
        _isDisposed = true;
        while (_blocks.TryTake(out var block))
            block.Dispose();
        _folder?.Dispose();
    }

    private void GiveBack(NativeBlock block)
    {
        if (_isDisposed)
            block.Dispose();
        else
            _blocks.Add(block);
    }

    /// <summary>Writes what goes beside the weights once, to be copied from there: the donor may be far away.</summary>
    private static string[] Companions(MergePlan plan, string folder)
    {
        var pattern = Path.Combine(folder, "companions");
        Directory.CreateDirectory(pattern);
        MergeToFolder.WriteModelFiles(plan, pattern);
        return Directory.GetFiles(pattern);
    }

    private static MergeException TooSmall(CandidatePlace place, long free, CandidatesRecipe recipe, string recipePath)
    {
        var isQuota = recipe.Quota < place.CandidateBytes;
        return new(new Diagnostic($"a candidate takes {DiskSpace.Text(place.CandidateBytes)}, "
            + (isQuota ? $"more than the quota of {DiskSpace.Text(recipe.Quota!.Value)}"
                : $"and {place.Place} has {DiskSpace.Text(free)} free, of which {Share:P0} may be used"))
        {
            Where = recipe.Line > 0 ? $"{recipePath}, line {recipe.Line}" : recipePath,
            Fix = isQuota ? "Raise 'candidates: {quota: …}'."
                : "Free space, or name a folder on another disk: 'evaluate: {candidates: {folder: …}}'.",
        })
        { WrongUsage = isQuota };
    }
}

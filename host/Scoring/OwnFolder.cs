using Merge.Checkpoints;

namespace Merge.Scoring;

/// <summary>
/// A folder of this process for what must not outlive it, with a file in it that stays locked while the process lives.
/// The operating system drops the lock whatever ends the process: what is found unlocked was left behind.
/// </summary>
internal sealed class OwnFolder : IDisposable
{
    private const string Prefix = "merge-candidates.";
    private const string LockName = ".lock";

    private readonly FileStream _lock;

    private OwnFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    public string Path { get; }

    /// <summary>Makes one, after removing those that killed processes of this machine and user have left.</summary>
    /// <param name="root">Holds it; made if need be.</param>
    /// <exception cref="Merge.Sdk.MergeException">It cannot be made.</exception>
    public static OwnFolder Create(string root)
    {
        try
        {
            Directory.CreateDirectory(root);
            RemoveLeftOvers(root);
            for (var number = 0; ; number++)
            {
                var path = System.IO.Path.Combine(root, $"{Mine}{Environment.ProcessId}.{number}");
                if (Directory.Exists(path))
                    continue;
                if (OperatingSystem.IsWindows())
                    Directory.CreateDirectory(path);
                else
                    Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                if (TryLock(path, FileMode.CreateNew) is { } held)
                    return new(path, held);
            }
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            throw FileProblem.Writing(root, 0, fault, ScoringPlace.FullDisk);
        }
    }

    /// <summary>Removes a folder; what cannot be removed stays for the next start.</summary>
    public static void Remove(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception fault) when (FileProblem.Is(fault))
        {
            // A program that still runs may be writing in it.
        }
    }

    public void Dispose()
    {
        // Locked until it is gone: another start would remove it as well.
        Remove(Path);
        _lock.Dispose();
    }

    // Process ids are one machine's; the folder may be on a disk that several share.
    private static string Mine => $"{Prefix}{Environment.MachineName}.";

    private static void RemoveLeftOvers(string root)
    {
        foreach (var folder in Directory.GetDirectories(root, Mine + "*"))
        {
            // Without the file it is one that is just being made.
            using var held = File.Exists(System.IO.Path.Combine(folder, LockName)) ? TryLock(folder, FileMode.Open) : null;
            if (held is not null)
                Remove(folder);
        }
    }

    private static FileStream? TryLock(string folder, FileMode mode)
    {
        try
        {
            return new(System.IO.Path.Combine(folder, LockName), mode, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception fault) when (fault is UnauthorizedAccessException || (FileProblem.Is(fault) && !FileProblem.IsDiskFull(fault)))
        {
            return null;
        }
    }
}

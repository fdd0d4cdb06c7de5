using System.Globalization;
using Merge.Checkpoints;

namespace Merge.Scoring;

/// <summary>What the machine has room for.</summary>
internal record CandidateMedia
{
    private const string MemoryInformation = "/proc/meminfo";

    /// <summary>A folder whose files are in memory; null where the system has none.</summary>
    public string? SharedMemory { get; init; } = Directory.Exists("/dev/shm") ? "/dev/shm" : null;

    /// <summary>Bytes free below a folder; null: unknown.</summary>
    public virtual long? Free(string folder) => DiskSpace.Free(folder);

    /// <summary>Bytes of the disk that a folder is on, used or not; null: unknown.</summary>
    public virtual long? Size(string folder) => DiskSpace.Size(folder);

    /// <summary>Bytes of memory that may still be taken.</summary>
    public virtual long FreeMemory()
    {
        var allowed = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Math.Min(allowed, Available() ?? allowed);
    }

    private static long? Available()
    {
        if (!File.Exists(MemoryInformation))
            return null;
        // "MemAvailable:   12345678 kB"
        var line = File.ReadLines(MemoryInformation).FirstOrDefault(l => l.StartsWith("MemAvailable:"));
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var number, ..]
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes)
            ? kilobytes << 10 : null;
    }
}

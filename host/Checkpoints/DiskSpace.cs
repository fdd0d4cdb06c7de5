using System.Globalization;
using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>Room on the disk an output goes to.</summary>
internal static class DiskSpace
{
    /// <summary>Stops before the first write when an output cannot fit.</summary>
    /// <param name="folder">Where it goes; need not exist yet.</param>
    /// <param name="bytesNeeded">What all its files take together.</param>
    /// <exception cref="MergeException">Less is free.</exception>
    public static void Check(string folder, long bytesNeeded)
    {
        if (Free(folder) is not { } free || free >= bytesNeeded)
            return;
        throw new MergeException(new Diagnostic(
            $"not enough disk space: the output needs {Text(bytesNeeded)}, {Text(free)} are free")
        {
            Where = folder,
            Fix = "Free space or choose an output folder on another disk.",
        });
    }

    /// <summary>Bytes this user may still write there; null where the file system does not say.</summary>
    public static long? Free(string path) => Of(path, drive => drive.AvailableFreeSpace);

    /// <summary>Bytes of the file system that a path is on, used or not; null where it does not say.</summary>
    public static long? Size(string path) => Of(path, drive => drive.TotalSize);

    private static long? Of(string path, Func<DriveInfo, long> look)
    {
        var existing = Path.GetFullPath(path);
        while (!Directory.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
            existing = parent;
        try
        {
            return look(new DriveInfo(existing));
        }
        catch (Exception e) when (FileProblem.Is(e) || e is ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Bytes as a person reads them, in powers of 1000 as disks and shard sizes are sold.</summary>
    public static string Text(long bytes)
    {
        string[] units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
        double value = bytes;
        var unit = 0;
        for (; value >= 1000 && unit < units.Length - 1; unit++)
            value /= 1000;
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.##} {units[unit]}");
    }
}

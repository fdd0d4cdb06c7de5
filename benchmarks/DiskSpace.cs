namespace Merge.Benchmarks;

internal static class DiskSpace
{
    /// <summary>Refuses to start what would fill the disk.</summary>
    /// <exception cref="IOException">Fewer than <paramref name="bytes"/> are free where the folder is or will
    /// be.</exception>
    public static void Require(string folder, long bytes)
    {
        Directory.CreateDirectory(folder);
        var free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        if (free < bytes)
            throw new IOException($"{folder}: {free / 1e9:F1} GB free, {bytes / 1e9:F1} GB needed.");
    }
}

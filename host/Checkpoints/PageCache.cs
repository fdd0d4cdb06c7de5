using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Merge.Checkpoints;

/// <summary>
/// Tells the kernel how files are used, so that a merge of hundreds of gigabytes does not push everything else out of
/// memory. Advice only: where there is no such call, nothing happens.
/// </summary>
internal static partial class PageCache
{
    private const int DontNeed = 4;
    private const int NoReuse = 5;
    private const uint BeginWrite = 2;

    /// <summary>What is read of this file is not read again soon: it does not compete with what others keep cached.</summary>
    public static void ReadOnce(SafeFileHandle file) => Advise(file, NoReuse);

    /// <summary>What is cached of this file is not needed: call when it is on the disk.</summary>
    public static void Drop(SafeFileHandle file) => Advise(file, DontNeed);

    /// <summary>Begins to bring what was written so far to the disk; waits only where the disk has more to do than it takes in. What fails is told by <see cref="DiskSync"/>.</summary>
    public static void BeginWriting(SafeFileHandle file)
    {
        if (OperatingSystem.IsLinux())
            _ = sync_file_range(file, 0, 0, BeginWrite);
    }

    private static void Advise(SafeFileHandle file, int advice)
    {
        if (OperatingSystem.IsLinux())
            _ = posix_fadvise(file, 0, 0, advice);
    }

    [LibraryImport("libc")]
    private static partial int posix_fadvise(SafeFileHandle file, long offset, long length, int advice);

    [LibraryImport("libc")]
    private static partial int sync_file_range(SafeFileHandle file, long offset, long length, uint flags);
}

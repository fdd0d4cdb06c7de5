using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Merge.Checkpoints;

/// <summary>
/// Brings what was written of a file to the disk itself. The runtime's own calls for it say nothing where the disk fails, and a
/// file system reports only here what it lost after a write had succeeded.
/// </summary>
internal static partial class DiskSync
{
    private const int Interrupted = 4;

    // Of what has no disk below it.
    private const int InvalidArgument = 22;
    private const int ReadOnlyFileSystem = 30;
    private const int NotSupported = 95;

    /// <exception cref="IOException">The disk failed or is full; <see cref="Exception.HResult"/> is the system's number.</exception>
    public static void Flush(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
            return;
        }
        while (fsync(file) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error is InvalidArgument or ReadOnlyFileSystem or NotSupported)
                return;
            if (error != Interrupted)
                throw new IOException($"bringing it to the disk failed: {Marshal.GetPInvokeErrorMessage(error)}", error);
        }
    }

    /// <inheritdoc cref="Flush(SafeFileHandle)"/>
    public static void Flush(FileStream file)
    {
        file.Flush();
        Flush(file.SafeFileHandle);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle file);
}

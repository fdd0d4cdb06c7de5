using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Merge.Checkpoints;

/// <summary>Brings a folder to the disk itself: its files, and the names they have in it.</summary>
internal static partial class FolderSync
{
    /// <summary>Every file in the folder but one, then the folder.</summary>
    /// <exception cref="Merge.Sdk.MergeException">The disk failed or is full.</exception>
    public static void WithFiles(string folder, string except)
    {
        foreach (var path in Directory.EnumerateFiles(folder).Where(p => Path.GetFileName(p) != except))
        {
            try
            {
                using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
                DiskSync.Flush(file);
            }
            catch (Exception e) when (FileProblem.Is(e))
            {
                throw FileProblem.Writing(path, 0, e);
            }
        }
        Names(folder);
    }

    /// <summary>The names in a folder, so that a renamed one is there after a power cut.</summary>
    public static void Names(string folder)
    {
        // The runtime opens no folders; elsewhere than on Linux the file system's own order has to do.
        if (!OperatingSystem.IsLinux())
            return;
        const int ReadOnlyFolder = 0x10000;
        using var handle = new SafeFileHandle(open(folder, ReadOnlyFolder), ownsHandle: true);
        if (!handle.IsInvalid)
            DiskSync.Flush(handle);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint open(string path, int flags);
}

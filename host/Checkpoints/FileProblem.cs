using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>What the operating system refused, as a reason a person can act on.</summary>
internal static class FileProblem
{
    private const int DiskFullOnUnix = 28;
    private const int QuotaUsedUpOnLinux = 122;
    private const int UnspecifiedOfDotNet = unchecked((int)0x80131620);
    private const int DiskFullOnWindows = unchecked((int)0x80070070);

    /// <summary>True for the exceptions that file operations throw for a reason outside this program.</summary>
    public static bool Is(Exception e) =>
        e is IOException or UnauthorizedAccessException or NotSupportedException or System.Security.SecurityException || IsTooLong(e);

    public static bool IsDiskFull(Exception e) =>
        e is IOException { HResult: DiskFullOnUnix or QuotaUsedUpOnLinux or DiskFullOnWindows } || IsUnallocated(e, "disk was full");

    /// <summary>The reason that reading a file failed.</summary>
    public static MergeException Reading(string path, Exception e) =>
        new(new Diagnostic($"the file cannot be read: {OneLine(e)}") { Where = path }, e);

    /// <summary>The reason that writing failed; a full disk says what is needed and what is free.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="needed">Bytes that everything to be written takes; 0 where that would tell nothing.</param>
    /// <param name="e">What was thrown.</param>
    /// <param name="fix">What to do about a full disk, where it is not an output that can go elsewhere.</param>
    public static MergeException Writing(string path, long needed, Exception e, string? fix = null)
    {
        if (!IsDiskFull(e))
        {
            return new(new Diagnostic($"cannot be written: {OneLine(e)}")
            {
                Where = path,
                Fix = IsTooLong(e) ? "Raise the limit (ulimit -f), or choose a folder on another disk." : "Choose an output folder that can be written.",
            }, e);
        }
        var free = DiskSpace.Free(path) is { } bytes
            ? $"{DiskSpace.Text(bytes)} are free now"
            : "free space is unknown";
        return new(new Diagnostic(needed > 0 ? $"the disk is full: the output needs {DiskSpace.Text(needed)}, {free}" : $"the disk is full: {free}")
        {
            Where = path,
            Fix = fix ?? "Free space or choose an output folder on another disk.",
        }, e);
    }

    // What .NET makes of EFBIG: a limit of the process, or of a file system such as FAT32.
    private static bool IsTooLong(Exception e) =>
        e is ArgumentOutOfRangeException { ParamName: "value" } || IsUnallocated(e, "file was too large");

    // Where a whole file is written at once .NET asks for its room first, and says why there is none in words alone.
    private static bool IsUnallocated(Exception e, string why) =>
        e is IOException { HResult: UnspecifiedOfDotNet } && e.Message.Contains(why, StringComparison.Ordinal);

    private static string OneLine(Exception e) => IsTooLong(e) ? "the file is longer than the file system or a limit on files allows" : e.Message.ReplaceLineEndings(" ").TrimEnd('.');
}

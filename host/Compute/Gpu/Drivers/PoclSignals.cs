using System.Runtime.InteropServices;

namespace Merge.Compute.Gpu.Drivers;

/// <summary>
/// PoCL, OpenCL on processors, takes the signal of an integer division by zero for itself, and lets every division of the
/// process by zero go on with a wrong number; .NET makes an exception of that signal. No kernel here divides integers by zero.
/// </summary>
internal static partial class PoclSignals
{
    /// <summary>Before OpenCL is loaded. What the user has set stands.</summary>
    public static void LeaveAlone()
    {
        if (OperatingSystem.IsLinux())
            _ = setenv("POCL_SIGFPE_HANDLER", "0", overwrite: 0);
    }

    // The process's own environment: .NET's is a copy that no library sees.
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);
}

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Host.Tests.Compute.Gpu;

/// <summary>PoCL keeps what it compiled beside the tests, for the next run, not in the user's folder.</summary>
internal static partial class PoclCache
{
    [ModuleInitializer]
    internal static void Move()
    {
        var folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "pocl"));
        // The runtime's own environment is a copy that native libraries do not see.
        _ = SetEnvironment("POCL_CACHE_DIR", folder.FullName, 1);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}

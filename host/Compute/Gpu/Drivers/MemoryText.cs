using System.Globalization;

namespace Merge.Compute.Gpu.Drivers;

/// <summary>Device memory as its makers count it, in powers of 1024.</summary>
internal static class MemoryText
{
    public static string Of(long bytes) => bytes switch
    {
        < 1 << 10 => $"{bytes} bytes",
        < 1 << 20 => $"{bytes >> 10} KiB",
        < 1 << 30 => $"{bytes >> 20} MiB",
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.##} GiB"),
    };
}

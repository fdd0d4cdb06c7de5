using System.Runtime.InteropServices;

namespace Merge.Benchmarks;

internal static class Machine
{
    /// <summary>Processor, cores, memory, system, runtime: what a figure is worth nothing without.</summary>
    public static string Description =>
        $"{Processor}, {Environment.ProcessorCount} cores, "
        + $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:F0} GB, "
        + $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}";

    private static string Processor =>
        ModelName is { } line ? line[(line.IndexOf(':') + 2)..] : RuntimeInformation.ProcessArchitecture.ToString();

    private static string? ModelName =>
        File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            : null;
}

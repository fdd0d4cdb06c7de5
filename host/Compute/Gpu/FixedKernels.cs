using Merge.Compute.Gpu.Drivers;

namespace Merge.Compute.Gpu;

/// <summary>The kernels that do not depend on a strategy.</summary>
internal static class FixedKernels
{
    /// <summary>In OpenCL C.</summary>
    public static string Source { get; } = Text("kernels.cl");

    /// <summary>In PTX, made of the source.</summary>
    public static string Ptx { get; } = Text("kernels.ptx");

    /// <summary>Compiles them for a device.</summary>
    public static DeviceModule Load(DeviceContext context) => context.Load(
        "the fixed kernels", context.Language == ProgramLanguage.Ptx ? Ptx : Source);

    private static string Text(string name)
    {
        using var stream = typeof(FixedKernels).Assembly.GetManifestResourceStream($"Gpu.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

using Merge.Compute.Gpu.Drivers;

namespace Merge.Compute.Gpu;

/// <summary>The kernels that do not depend on a strategy, and the functions that others are made of.</summary>
internal static class FixedKernels
{
    /// <summary>OpenCL C of the functions (exp, conversions, Philox …), to be put before a kernel made at run time.</summary>
    public static string Arithmetic { get; } = Text("arithmetic.cl");

    /// <summary>OpenCL C of all fixed kernels.</summary>
    public static string Source { get; } = Arithmetic + Text("kernels.cl");

    /// <summary>The same functions in PTX, each a <c>.func</c>, with the directives a module begins with.</summary>
    public static string ArithmeticPtx { get; } = Text("arithmetic.ptx");

    /// <summary>PTX of all fixed kernels.</summary>
    public static string SourcePtx { get; } = Text("kernels.ptx");

    /// <summary>Compiles them for a device.</summary>
    public static DeviceModule Load(DeviceContext context) => context.Load(
        "the fixed kernels", context.Language == ProgramLanguage.Ptx ? SourcePtx : Source);

    private static string Text(string name)
    {
        using var stream = typeof(FixedKernels).Assembly.GetManifestResourceStream($"Gpu.{name}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

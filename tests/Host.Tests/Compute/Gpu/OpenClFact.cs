using Merge.Compute.Gpu.Drivers;

namespace Host.Tests.Compute.Gpu;

/// <summary>Where there is no OpenCL device, a test of it says so.</summary>
internal static class OpenClDevices
{
    /// <summary>Null, or why there is none.</summary>
    public static string? Missing { get; } = Find();

    private static string? Find()
    {
        try
        {
            return OpenClDevice.All().Count > 0 ? null : "unavailable: no OpenCL device (pocl-opencl-icd is one)";
        }
        catch (DeviceException fault) when (fault.Fault == DeviceFault.DriverMissing)
        {
            return "unavailable: no OpenCL library (pocl-opencl-icd brings one)";
        }
    }
}

/// <summary>A test on an OpenCL device.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OpenClFactAttribute : FactAttribute
{
    public OpenClFactAttribute() => Skip = OpenClDevices.Missing!;
}

/// <summary>Tests on an OpenCL device.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OpenClTheoryAttribute : TheoryAttribute
{
    public OpenClTheoryAttribute() => Skip = OpenClDevices.Missing!;
}

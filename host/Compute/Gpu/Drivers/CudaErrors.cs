namespace Merge.Compute.Gpu.Drivers;

/// <summary>What CUDA's error codes (cuda.h, CUresult) mean here.</summary>
internal static class CudaErrors
{
    public const int NotReady = 600;

    public static DeviceFault Fault(int code) => code switch
    {
        2 => DeviceFault.OutOfMemory,
        // No device, an invalid one, one without licence.
        100 or 101 or 102 => DeviceFault.NoDevice,
        // The driver is older than the library, than the PTX, or does not fit the kernel module.
        34 or 35 or 222 or 223 or 801 or 803 or 804 => DeviceFault.DriverTooOld,
        200 or 209 or 218 or 220 or 221 or 300 or 301 or 302 or 303 or 500 => DeviceFault.BadProgram,
        // Illegal addresses and instructions, asserts, too many resources for a launch, a time limit.
        700 or 701 or 702 or 703 or 710 or 714 or 715 or 716 or 717 or 718 or 719 => DeviceFault.LaunchFailed,
        // The context is gone, an ECC error, an NVLink error, a device that is busy, in another state or unplugged.
        4 or 46 or 201 or 205 or 206 or 214 or 226 or 708 or 709 or 802 or 999 => DeviceFault.DeviceLost,
        _ => DeviceFault.BadArgument,
    };
}

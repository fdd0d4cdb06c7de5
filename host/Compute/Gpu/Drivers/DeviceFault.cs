using Merge.Sdk;

namespace Merge.Compute.Gpu.Drivers;

/// <summary>What can go wrong with a device, whatever its driver calls it.</summary>
internal enum DeviceFault
{
    NoDevice,
    DriverMissing,
    DriverTooOld,
    OutOfMemory,
    BadProgram,
    BadArgument,
    LaunchFailed,
    DeviceLost,
}

/// <summary>A device or its driver failed; says who must act and how the work can go on.</summary>
internal sealed class DeviceException(DeviceFault fault, Diagnostic diagnostic) : MergeException(diagnostic)
{
    private const string OnTheCpu = "--device cpu does the same merge on the processor";

    public DeviceFault Fault { get; } = fault;

    /// <summary>More device memory is needed than the user allows.</summary>
    public static DeviceException OverBudget(string device, long bytes, long used, long budget) => new(
        DeviceFault.OutOfMemory,
        new($"{device} is allowed {MemoryText.Of(budget)} of its memory, {MemoryText.Of(used)} are in use, and "
            + $"{MemoryText.Of(bytes)} more are needed")
        {
            Fix = "Raise --gpu-memory, or lower --threads, then run the same command again: a merge goes on where it "
                + $"stopped; {OnTheCpu}",
        });

    /// <param name="fault">What it is.</param>
    /// <param name="device">The device or driver, as a person knows it.</param>
    /// <param name="doing">What was tried, for example "allocating 2.1 GB".</param>
    /// <param name="said">What the driver said: its code and name, a build log.</param>
    public static DeviceException Of(DeviceFault fault, string device, string doing, string said) => new(fault, fault switch
    {
        DeviceFault.NoDevice => new($"{device} has no usable device ({doing}: {said})")
        {
            Expected = "a GPU that the driver can see",
            Fix = $"Check it with nvidia-smi or clinfo, and whether this container was given the GPU; {OnTheCpu}",
        },
        DeviceFault.DriverMissing => new($"the driver of {device} is not installed ({said})")
        {
            Expected = "libcuda.so.1 of NVIDIA's driver, or libOpenCL.so.1",
            Fix = $"Install the GPU's driver, or give the container its libraries; {OnTheCpu}",
        },
        DeviceFault.DriverTooOld => new($"the driver of {device} is too old ({doing}: {said})")
        {
            Expected = "for CUDA a driver of version 450 (CUDA 11.0) or later, for OpenCL version 1.2",
            Fix = $"Update the GPU's driver; {OnTheCpu}",
        },
        DeviceFault.OutOfMemory => new($"{device} is out of memory while {doing} ({said})")
        {
            Fix = $"Close what else uses its memory, or lower --gpu-memory or --threads, then run the same command again: "
                + $"a merge goes on where it stopped; {OnTheCpu}",
        },
        DeviceFault.BadProgram => new($"{device} does not accept a kernel, while {doing} ({said})")
        {
            Actor = Actor.Developers,
            Fix = $"Report this with the text above; {OnTheCpu}",
        },
        DeviceFault.BadArgument => new($"{device} was called wrongly, while {doing} ({said})")
        {
            Actor = Actor.Developers,
            Fix = $"Report this with the text above; {OnTheCpu}",
        },
        DeviceFault.LaunchFailed => new($"a kernel failed on {device}, while {doing} ({said})")
        {
            Actor = Actor.Developers,
            Fix = $"Report this with the text above; {OnTheCpu}",
        },
        DeviceFault.DeviceLost => new($"{device} was lost while {doing} ({said})")
        {
            Fix = "Check the card (nvidia-smi, the kernel's log: power, heat, a reset), then run the same command again: "
                + $"a merge goes on where it stopped; {OnTheCpu}",
        },
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    });
}

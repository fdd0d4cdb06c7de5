namespace Merge.Compute.Gpu.Drivers;

/// <summary>OpenCL's error codes (cl.h, cl_ext.h), and what they mean here.</summary>
internal static class OpenClErrors
{
    private static readonly Dictionary<int, (string Name, DeviceFault Fault)> Known = new()
    {
        [-1] = ("CL_DEVICE_NOT_FOUND", DeviceFault.NoDevice),
        [-2] = ("CL_DEVICE_NOT_AVAILABLE", DeviceFault.DeviceLost),
        [-3] = ("CL_COMPILER_NOT_AVAILABLE", DeviceFault.DriverTooOld),
        [-4] = ("CL_MEM_OBJECT_ALLOCATION_FAILURE", DeviceFault.OutOfMemory),
        [-5] = ("CL_OUT_OF_RESOURCES", DeviceFault.LaunchFailed),
        [-6] = ("CL_OUT_OF_HOST_MEMORY", DeviceFault.OutOfMemory),
        [-11] = ("CL_BUILD_PROGRAM_FAILURE", DeviceFault.BadProgram),
        [-14] = ("CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST", DeviceFault.LaunchFailed),
        [-15] = ("CL_COMPILE_PROGRAM_FAILURE", DeviceFault.BadProgram),
        [-30] = ("CL_INVALID_VALUE", DeviceFault.BadArgument),
        [-34] = ("CL_INVALID_CONTEXT", DeviceFault.DeviceLost),
        [-36] = ("CL_INVALID_COMMAND_QUEUE", DeviceFault.DeviceLost),
        [-38] = ("CL_INVALID_MEM_OBJECT", DeviceFault.BadArgument),
        [-42] = ("CL_INVALID_BINARY", DeviceFault.BadProgram),
        [-43] = ("CL_INVALID_BUILD_OPTIONS", DeviceFault.BadProgram),
        [-44] = ("CL_INVALID_PROGRAM", DeviceFault.BadProgram),
        [-45] = ("CL_INVALID_PROGRAM_EXECUTABLE", DeviceFault.BadProgram),
        [-46] = ("CL_INVALID_KERNEL_NAME", DeviceFault.BadProgram),
        [-48] = ("CL_INVALID_KERNEL", DeviceFault.BadArgument),
        [-49] = ("CL_INVALID_ARG_INDEX", DeviceFault.BadArgument),
        [-50] = ("CL_INVALID_ARG_VALUE", DeviceFault.BadArgument),
        [-51] = ("CL_INVALID_ARG_SIZE", DeviceFault.BadArgument),
        [-52] = ("CL_INVALID_KERNEL_ARGS", DeviceFault.BadArgument),
        [-54] = ("CL_INVALID_WORK_GROUP_SIZE", DeviceFault.BadArgument),
        [-58] = ("CL_INVALID_EVENT", DeviceFault.BadArgument),
        [-61] = ("CL_INVALID_BUFFER_SIZE", DeviceFault.OutOfMemory),
        [-1001] = ("CL_PLATFORM_NOT_FOUND_KHR", DeviceFault.NoDevice),
        [-9999] = ("illegal read or write", DeviceFault.LaunchFailed),
    };

    public static DeviceFault Fault(int code) => Known.TryGetValue(code, out var known) ? known.Fault : DeviceFault.BadArgument;

    public static string Text(int code) => Known.TryGetValue(code, out var known) ? $"{known.Name}, {code}" : $"OpenCL error {code}";
}

using System.Runtime.InteropServices;
using System.Text;

namespace Host.Tests.Compute.Gpu;

/// <summary>The functions, as a library would export them.</summary>
internal static unsafe partial class StandInCuda
{
    private static readonly Dictionary<string, nint> Table = new()
    {
        ["cuInit"] = (nint)(delegate* unmanaged<uint, int>)&cuInit,
        ["cuDriverGetVersion"] = (nint)(delegate* unmanaged<int*, int>)&cuDriverGetVersion,
        ["cuGetErrorName"] = (nint)(delegate* unmanaged<int, byte**, int>)&cuGetErrorName,
        ["cuDeviceGetCount"] = (nint)(delegate* unmanaged<int*, int>)&cuDeviceGetCount,
        ["cuDeviceGet"] = (nint)(delegate* unmanaged<int*, int, int>)&cuDeviceGet,
        ["cuDeviceGetName"] = (nint)(delegate* unmanaged<byte*, int, int, int>)&cuDeviceGetName,
        ["cuDeviceTotalMem_v2"] = (nint)(delegate* unmanaged<nuint*, int, int>)&cuDeviceTotalMem,
        ["cuDeviceGetAttribute"] = (nint)(delegate* unmanaged<int*, int, int, int>)&cuDeviceGetAttribute,
        ["cuDevicePrimaryCtxSetFlags_v2"] = (nint)(delegate* unmanaged<int, uint, int>)&cuDevicePrimaryCtxSetFlags,
        ["cuDevicePrimaryCtxRetain"] = (nint)(delegate* unmanaged<nint*, int, int>)&cuDevicePrimaryCtxRetain,
        ["cuDevicePrimaryCtxRelease_v2"] = (nint)(delegate* unmanaged<int, int>)&cuDevicePrimaryCtxRelease,
        ["cuCtxSetCurrent"] = (nint)(delegate* unmanaged<nint, int>)&cuCtxSetCurrent,
        ["cuMemGetInfo_v2"] = (nint)(delegate* unmanaged<nuint*, nuint*, int>)&cuMemGetInfo,
        ["cuMemAlloc_v2"] = (nint)(delegate* unmanaged<nint*, nuint, int>)&cuMemAlloc,
        ["cuMemFree_v2"] = (nint)(delegate* unmanaged<nint, int>)&cuMemFree,
        ["cuMemHostAlloc"] = (nint)(delegate* unmanaged<nint*, nuint, uint, int>)&cuMemHostAlloc,
        ["cuMemFreeHost"] = (nint)(delegate* unmanaged<nint, int>)&cuMemFreeHost,
        ["cuMemcpyHtoDAsync_v2"] = (nint)(delegate* unmanaged<nint, nint, nuint, nint, int>)&cuMemcpyHtoDAsync,
        ["cuMemcpyDtoHAsync_v2"] = (nint)(delegate* unmanaged<nint, nint, nuint, nint, int>)&cuMemcpyDtoHAsync,
        ["cuMemcpyDtoDAsync_v2"] = (nint)(delegate* unmanaged<nint, nint, nuint, nint, int>)&cuMemcpyDtoDAsync,
        ["cuMemsetD32Async"] = (nint)(delegate* unmanaged<nint, uint, nuint, nint, int>)&cuMemsetD32Async,
        ["cuStreamCreate"] = (nint)(delegate* unmanaged<nint*, uint, int>)&cuStreamCreate,
        ["cuStreamDestroy_v2"] = (nint)(delegate* unmanaged<nint, int>)&cuStreamDestroy,
        ["cuStreamSynchronize"] = (nint)(delegate* unmanaged<nint, int>)&cuStreamSynchronize,
        ["cuStreamWaitEvent"] = (nint)(delegate* unmanaged<nint, nint, uint, int>)&cuStreamWaitEvent,
        ["cuEventCreate"] = (nint)(delegate* unmanaged<nint*, uint, int>)&cuEventCreate,
        ["cuEventRecord"] = (nint)(delegate* unmanaged<nint, nint, int>)&cuEventRecord,
        ["cuEventQuery"] = (nint)(delegate* unmanaged<nint, int>)&cuEventQuery,
        ["cuEventSynchronize"] = (nint)(delegate* unmanaged<nint, int>)&cuEventSynchronize,
        ["cuEventElapsedTime"] = (nint)(delegate* unmanaged<float*, nint, nint, int>)&cuEventElapsedTime,
        ["cuEventDestroy_v2"] = (nint)(delegate* unmanaged<nint, int>)&cuEventDestroy,
        ["cuModuleLoadDataEx"] = (nint)(delegate* unmanaged<nint*, byte*, uint, int*, byte**, int>)&cuModuleLoadDataEx,
        ["cuModuleUnload"] = (nint)(delegate* unmanaged<nint, int>)&cuModuleUnload,
        ["cuModuleGetFunction"] = (nint)(delegate* unmanaged<nint*, nint, byte*, int>)&cuModuleGetFunction,
        ["cuLaunchKernel"] =
            (nint)(delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)&cuLaunchKernel,
    };

    [UnmanagedCallersOnly]
    private static int cuInit(uint flags) => Call(() => 0, false);

    [UnmanagedCallersOnly]
    private static int cuDriverGetVersion(int* version) => Call(() => Give(version, Version), false);

    [UnmanagedCallersOnly]
    private static int cuGetErrorName(int code, byte** name)
    {
        lock (Gate)
        {
            if (!ErrorNames.TryGetValue(code, out var text))
                ErrorNames[code] = text = Marshal.StringToCoTaskMemUTF8($"CUDA_ERROR_OF_CODE_{code}");
            *name = (byte*)text;
            return 0;
        }
    }

    [UnmanagedCallersOnly]
    private static int cuDeviceGetCount(int* count) => Call(() => Give(count, DeviceCount), false);

    [UnmanagedCallersOnly]
    private static int cuDeviceGet(int* device, int index) => Call(() => Give(device, 40 + index), false);

    [UnmanagedCallersOnly]
    private static int cuDeviceGetName(byte* name, int length, int device) => Call(
        () =>
        {
            Encoding.UTF8.GetBytes("Stand-in\0").CopyTo(new Span<byte>(name, length));
            return 0;
        },
        false);

    [UnmanagedCallersOnly]
    private static int cuDeviceTotalMem(nuint* bytes, int device) => Call(() => Give(bytes, TotalMemory), false);

    [UnmanagedCallersOnly]
    private static int cuDeviceGetAttribute(int* value, int attribute, int device) => Call(
        () => Give(value, attribute switch { 75 => Capability / 10, 76 => Capability % 10, 16 => 132, _ => 0 }), false);

    [UnmanagedCallersOnly]
    private static int cuDevicePrimaryCtxSetFlags(int device, uint flags) => Call(() => 0, false);

    [UnmanagedCallersOnly]
    private static int cuDevicePrimaryCtxRetain(nint* context, int device) => Call(
        () =>
        {
            _retained++;
            return Give(context, Context);
        },
        false);

    [UnmanagedCallersOnly]
    private static int cuDevicePrimaryCtxRelease(int device) => Call(
        () =>
        {
            _retained--;
            return 0;
        },
        false);

    [UnmanagedCallersOnly]
    private static int cuCtxSetCurrent(nint context) => Call(
        () =>
        {
            _current = context;
            return 0;
        },
        false);

    [UnmanagedCallersOnly]
    private static int cuMemGetInfo(nuint* free, nuint* total) => Call(
        () => Give(free, (nuint)(FreeMemory - Device.Values.Sum())) + Give(total, TotalMemory));

    [UnmanagedCallersOnly]
    private static int cuMemAlloc(nint* address, nuint bytes) => Call(() => Allocate(Device, address, bytes));

    [UnmanagedCallersOnly]
    private static int cuMemFree(nint address) => Call(() => Free(Device, address));

    [UnmanagedCallersOnly]
    private static int cuMemHostAlloc(nint* address, nuint bytes, uint flags) => Call(() => Allocate(Host, address, bytes));

    [UnmanagedCallersOnly]
    private static int cuMemFreeHost(nint address) => Call(() => Free(Host, address));

    [UnmanagedCallersOnly]
    private static int cuMemcpyHtoDAsync(nint to, nint from, nuint bytes, nint stream) =>
        Call(() => Copy(stream, from, to, bytes, to));

    [UnmanagedCallersOnly]
    private static int cuMemcpyDtoHAsync(nint to, nint from, nuint bytes, nint stream) =>
        Call(() => Copy(stream, from, to, bytes, from));

    [UnmanagedCallersOnly]
    private static int cuMemcpyDtoDAsync(nint to, nint from, nuint bytes, nint stream) => Call(
        () => IsInside(Device, from, (long)bytes) ? Copy(stream, from, to, bytes, to) : Violation("copied from outside"));

    [UnmanagedCallersOnly]
    private static int cuMemsetD32Async(nint to, uint pattern, nuint words, nint stream) => Call(
        () => to % sizeof(uint) == 0 && IsInside(Device, to, sizeof(uint) * (long)words)
            ? Queue(stream, () => new Span<uint>((void*)to, (int)words).Fill(pattern))
            : Violation("filled outside, or unaligned"));

    [UnmanagedCallersOnly]
    private static int cuStreamCreate(nint* stream, uint flags) => Call(
        () =>
        {
            Streams.Add(_next, []);
            return Give(stream, _next++);
        });

    [UnmanagedCallersOnly]
    private static int cuStreamDestroy(nint stream) => Call(
        () => Streams.TryGetValue(stream, out var queue) && queue.Count == 0
            ? Streams.Remove(stream) ? 0 : InvalidValue
            : Violation("an unknown stream, or one at work"));

    [UnmanagedCallersOnly]
    private static int cuStreamSynchronize(nint stream) => Call(
        () =>
        {
            Run(stream);
            return 0;
        });

    [UnmanagedCallersOnly]
    private static int cuStreamWaitEvent(nint stream, nint handle, uint flags) => Call(
        () =>
        {
            if (!Events.TryGetValue(handle, out var marker))
                return Violation("an unknown event");
            return Queue(stream, () => Run(marker.Stream, marker));
        });

    [UnmanagedCallersOnly]
    private static int cuEventCreate(nint* handle, uint flags) => Call(
        () =>
        {
            Events.Add(_next, new());
            return Give(handle, _next++);
        });

    [UnmanagedCallersOnly]
    private static int cuEventRecord(nint handle, nint stream) => Call(
        () =>
        {
            var marker = Events[handle];
            (marker.Stream, marker.IsDone) = (stream, false);
            return Queue(stream, () => marker.IsDone = true);
        });

    [UnmanagedCallersOnly]
    private static int cuEventQuery(nint handle) => Call(() => Events[handle].IsDone ? 0 : 600);

    [UnmanagedCallersOnly]
    private static int cuEventSynchronize(nint handle) => Call(
        () =>
        {
            Run(Events[handle].Stream, Events[handle]);
            return 0;
        });

    [UnmanagedCallersOnly]
    private static int cuEventElapsedTime(float* milliseconds, nint first, nint second) => Call(
        () => Events[first].IsDone && Events[second].IsDone ? Give(milliseconds, second - first) : 600);

    [UnmanagedCallersOnly]
    private static int cuEventDestroy(nint handle) => Call(() => Events.Remove(handle) ? 0 : Violation("an unknown event"));

    [UnmanagedCallersOnly]
    private static int cuModuleLoadDataEx(nint* module, byte* image, uint count, int* options, byte** values) =>
        Call(() => Load(module, image, values));

    [UnmanagedCallersOnly]
    private static int cuModuleUnload(nint module) => Call(() => Modules.Remove(module) ? 0 : Violation("an unknown module"));

    [UnmanagedCallersOnly]
    private static int cuModuleGetFunction(nint* function, nint module, byte* name) => Call(
        () => Find(function, module, Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name))));

    [UnmanagedCallersOnly]
    private static int cuLaunchKernel(
        nint function, uint x, uint y, uint z, uint threadsX, uint threadsY, uint threadsZ, uint shared, nint stream,
        void** arguments, void** extra) =>
        Call(() => Launch(function, (long)x * y * z * threadsX * threadsY * threadsZ, stream, arguments));

    private static int Give<T>(T* place, T value)
        where T : unmanaged
    {
        *place = value;
        return 0;
    }
}

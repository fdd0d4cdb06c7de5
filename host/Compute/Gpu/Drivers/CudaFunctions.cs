namespace Merge.Compute.Gpu.Drivers;

/// <summary>The functions of CUDA's driver interface that are used. All give an error code, 0 for success.</summary>
internal sealed unsafe class CudaFunctions(DriverLibrary library)
{
    public readonly delegate* unmanaged<uint, int> Init =
        (delegate* unmanaged<uint, int>)library.Function("cuInit");

    public readonly delegate* unmanaged<int*, int> DriverGetVersion =
        (delegate* unmanaged<int*, int>)library.Function("cuDriverGetVersion");

    public readonly delegate* unmanaged<int, byte**, int> GetErrorName =
        (delegate* unmanaged<int, byte**, int>)library.Function("cuGetErrorName");

    public readonly delegate* unmanaged<int*, int> DeviceGetCount =
        (delegate* unmanaged<int*, int>)library.Function("cuDeviceGetCount");

    public readonly delegate* unmanaged<int*, int, int> DeviceGet =
        (delegate* unmanaged<int*, int, int>)library.Function("cuDeviceGet");

    public readonly delegate* unmanaged<byte*, int, int, int> DeviceGetName =
        (delegate* unmanaged<byte*, int, int, int>)library.Function("cuDeviceGetName");

    public readonly delegate* unmanaged<nuint*, int, int> DeviceTotalMem =
        (delegate* unmanaged<nuint*, int, int>)library.Function("cuDeviceTotalMem_v2");

    public readonly delegate* unmanaged<int*, int, int, int> DeviceGetAttribute =
        (delegate* unmanaged<int*, int, int, int>)library.Function("cuDeviceGetAttribute");

    public readonly delegate* unmanaged<int, uint, int> PrimaryCtxSetFlags =
        (delegate* unmanaged<int, uint, int>)library.Function("cuDevicePrimaryCtxSetFlags_v2");

    public readonly delegate* unmanaged<nint*, int, int> PrimaryCtxRetain =
        (delegate* unmanaged<nint*, int, int>)library.Function("cuDevicePrimaryCtxRetain");

    public readonly delegate* unmanaged<int, int> PrimaryCtxRelease =
        (delegate* unmanaged<int, int>)library.Function("cuDevicePrimaryCtxRelease_v2");

    public readonly delegate* unmanaged<nint, int> CtxSetCurrent =
        (delegate* unmanaged<nint, int>)library.Function("cuCtxSetCurrent");

    public readonly delegate* unmanaged<nuint*, nuint*, int> MemGetInfo =
        (delegate* unmanaged<nuint*, nuint*, int>)library.Function("cuMemGetInfo_v2");

    public readonly delegate* unmanaged<ulong*, nuint, int> MemAlloc =
        (delegate* unmanaged<ulong*, nuint, int>)library.Function("cuMemAlloc_v2");

    public readonly delegate* unmanaged<ulong, int> MemFree =
        (delegate* unmanaged<ulong, int>)library.Function("cuMemFree_v2");

    public readonly delegate* unmanaged<void**, nuint, uint, int> MemHostAlloc =
        (delegate* unmanaged<void**, nuint, uint, int>)library.Function("cuMemHostAlloc");

    public readonly delegate* unmanaged<void*, int> MemFreeHost =
        (delegate* unmanaged<void*, int>)library.Function("cuMemFreeHost");

    public readonly delegate* unmanaged<ulong, void*, nuint, nint, int> MemcpyHtoDAsync =
        (delegate* unmanaged<ulong, void*, nuint, nint, int>)library.Function("cuMemcpyHtoDAsync_v2");

    public readonly delegate* unmanaged<void*, ulong, nuint, nint, int> MemcpyDtoHAsync =
        (delegate* unmanaged<void*, ulong, nuint, nint, int>)library.Function("cuMemcpyDtoHAsync_v2");

    public readonly delegate* unmanaged<ulong, ulong, nuint, nint, int> MemcpyDtoDAsync =
        (delegate* unmanaged<ulong, ulong, nuint, nint, int>)library.Function("cuMemcpyDtoDAsync_v2");

    public readonly delegate* unmanaged<ulong, uint, nuint, nint, int> MemsetD32Async =
        (delegate* unmanaged<ulong, uint, nuint, nint, int>)library.Function("cuMemsetD32Async");

    public readonly delegate* unmanaged<nint*, uint, int> StreamCreate =
        (delegate* unmanaged<nint*, uint, int>)library.Function("cuStreamCreate");

    public readonly delegate* unmanaged<nint, int> StreamDestroy =
        (delegate* unmanaged<nint, int>)library.Function("cuStreamDestroy_v2");

    public readonly delegate* unmanaged<nint, int> StreamSynchronize =
        (delegate* unmanaged<nint, int>)library.Function("cuStreamSynchronize");

    public readonly delegate* unmanaged<nint, nint, uint, int> StreamWaitEvent =
        (delegate* unmanaged<nint, nint, uint, int>)library.Function("cuStreamWaitEvent");

    public readonly delegate* unmanaged<nint*, uint, int> EventCreate =
        (delegate* unmanaged<nint*, uint, int>)library.Function("cuEventCreate");

    public readonly delegate* unmanaged<nint, nint, int> EventRecord =
        (delegate* unmanaged<nint, nint, int>)library.Function("cuEventRecord");

    public readonly delegate* unmanaged<nint, int> EventQuery =
        (delegate* unmanaged<nint, int>)library.Function("cuEventQuery");

    public readonly delegate* unmanaged<nint, int> EventSynchronize =
        (delegate* unmanaged<nint, int>)library.Function("cuEventSynchronize");

    public readonly delegate* unmanaged<float*, nint, nint, int> EventElapsedTime =
        (delegate* unmanaged<float*, nint, nint, int>)library.Function("cuEventElapsedTime");

    public readonly delegate* unmanaged<nint, int> EventDestroy =
        (delegate* unmanaged<nint, int>)library.Function("cuEventDestroy_v2");

    public readonly delegate* unmanaged<nint*, void*, uint, int*, void**, int> ModuleLoadDataEx =
        (delegate* unmanaged<nint*, void*, uint, int*, void**, int>)library.Function("cuModuleLoadDataEx");

    public readonly delegate* unmanaged<nint, int> ModuleUnload =
        (delegate* unmanaged<nint, int>)library.Function("cuModuleUnload");

    public readonly delegate* unmanaged<nint*, nint, byte*, int> ModuleGetFunction =
        (delegate* unmanaged<nint*, nint, byte*, int>)library.Function("cuModuleGetFunction");

    public readonly delegate* unmanaged<
        nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int> LaunchKernel =
        (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)
        library.Function("cuLaunchKernel");
}

namespace Merge.Compute.Gpu.Drivers;

/// <summary>The functions of OpenCL 1.2 that are used, under their names.</summary>
internal sealed unsafe class OpenClFunctions(DriverLibrary library)
{
    public readonly delegate* unmanaged<uint, nint*, uint*, int> GetPlatformIDs =
        (delegate* unmanaged<uint, nint*, uint*, int>)library.Function("clGetPlatformIDs");

    public readonly delegate* unmanaged<nint, ulong, uint, nint*, uint*, int> GetDeviceIDs =
        (delegate* unmanaged<nint, ulong, uint, nint*, uint*, int>)library.Function("clGetDeviceIDs");

    public readonly delegate* unmanaged<nint, uint, nuint, void*, nuint*, int> GetDeviceInfo =
        (delegate* unmanaged<nint, uint, nuint, void*, nuint*, int>)library.Function("clGetDeviceInfo");

    public readonly delegate* unmanaged<nint*, uint, nint*, void*, void*, int*, nint> CreateContext =
        (delegate* unmanaged<nint*, uint, nint*, void*, void*, int*, nint>)library.Function("clCreateContext");

    public readonly delegate* unmanaged<nint, int> ReleaseContext =
        (delegate* unmanaged<nint, int>)library.Function("clReleaseContext");

    public readonly delegate* unmanaged<nint, nint, ulong, int*, nint> CreateCommandQueue =
        (delegate* unmanaged<nint, nint, ulong, int*, nint>)library.Function("clCreateCommandQueue");

    public readonly delegate* unmanaged<nint, int> ReleaseCommandQueue =
        (delegate* unmanaged<nint, int>)library.Function("clReleaseCommandQueue");

    public readonly delegate* unmanaged<nint, ulong, nuint, void*, int*, nint> CreateBuffer =
        (delegate* unmanaged<nint, ulong, nuint, void*, int*, nint>)library.Function("clCreateBuffer");

    public readonly delegate* unmanaged<nint, int> ReleaseMemObject =
        (delegate* unmanaged<nint, int>)library.Function("clReleaseMemObject");

    public readonly delegate* unmanaged<nint, nint, uint, ulong, nuint, nuint, uint, nint*, nint*, int*, void*> EnqueueMapBuffer =
        (delegate* unmanaged<nint, nint, uint, ulong, nuint, nuint, uint, nint*, nint*, int*, void*>)
        library.Function("clEnqueueMapBuffer");

    public readonly delegate* unmanaged<nint, nint, void*, uint, nint*, nint*, int> EnqueueUnmapMemObject =
        (delegate* unmanaged<nint, nint, void*, uint, nint*, nint*, int>)library.Function("clEnqueueUnmapMemObject");

    public readonly delegate* unmanaged<nint, nint, uint, nuint, nuint, void*, uint, nint*, nint*, int> EnqueueWriteBuffer =
        (delegate* unmanaged<nint, nint, uint, nuint, nuint, void*, uint, nint*, nint*, int>)
        library.Function("clEnqueueWriteBuffer");

    public readonly delegate* unmanaged<nint, nint, uint, nuint, nuint, void*, uint, nint*, nint*, int> EnqueueReadBuffer =
        (delegate* unmanaged<nint, nint, uint, nuint, nuint, void*, uint, nint*, nint*, int>)
        library.Function("clEnqueueReadBuffer");

    public readonly delegate* unmanaged<nint, nint, nint, nuint, nuint, nuint, uint, nint*, nint*, int> EnqueueCopyBuffer =
        (delegate* unmanaged<nint, nint, nint, nuint, nuint, nuint, uint, nint*, nint*, int>)
        library.Function("clEnqueueCopyBuffer");

    public readonly delegate* unmanaged<nint, nint, void*, nuint, nuint, nuint, uint, nint*, nint*, int> EnqueueFillBuffer =
        (delegate* unmanaged<nint, nint, void*, nuint, nuint, nuint, uint, nint*, nint*, int>)
        library.Function("clEnqueueFillBuffer");

    public readonly delegate* unmanaged<nint, uint, byte**, nuint*, int*, nint> CreateProgramWithSource =
        (delegate* unmanaged<nint, uint, byte**, nuint*, int*, nint>)library.Function("clCreateProgramWithSource");

    public readonly delegate* unmanaged<nint, uint, nint*, byte*, void*, void*, int> BuildProgram =
        (delegate* unmanaged<nint, uint, nint*, byte*, void*, void*, int>)library.Function("clBuildProgram");

    public readonly delegate* unmanaged<nint, nint, uint, nuint, void*, nuint*, int> GetProgramBuildInfo =
        (delegate* unmanaged<nint, nint, uint, nuint, void*, nuint*, int>)library.Function("clGetProgramBuildInfo");

    public readonly delegate* unmanaged<nint, int> ReleaseProgram =
        (delegate* unmanaged<nint, int>)library.Function("clReleaseProgram");

    public readonly delegate* unmanaged<nint, byte*, int*, nint> CreateKernel =
        (delegate* unmanaged<nint, byte*, int*, nint>)library.Function("clCreateKernel");

    public readonly delegate* unmanaged<nint, int> ReleaseKernel =
        (delegate* unmanaged<nint, int>)library.Function("clReleaseKernel");

    public readonly delegate* unmanaged<nint, uint, nuint, void*, int> SetKernelArg =
        (delegate* unmanaged<nint, uint, nuint, void*, int>)library.Function("clSetKernelArg");

    public readonly delegate* unmanaged<nint, nint, uint, nuint*, nuint*, nuint*, uint, nint*, nint*, int> EnqueueNDRangeKernel =
        (delegate* unmanaged<nint, nint, uint, nuint*, nuint*, nuint*, uint, nint*, nint*, int>)
        library.Function("clEnqueueNDRangeKernel");

    public readonly delegate* unmanaged<nint, uint, nint*, nint*, int> EnqueueMarkerWithWaitList =
        (delegate* unmanaged<nint, uint, nint*, nint*, int>)library.Function("clEnqueueMarkerWithWaitList");

    public readonly delegate* unmanaged<nint, uint, nint*, nint*, int> EnqueueBarrierWithWaitList =
        (delegate* unmanaged<nint, uint, nint*, nint*, int>)library.Function("clEnqueueBarrierWithWaitList");

    public readonly delegate* unmanaged<nint, int> Flush = (delegate* unmanaged<nint, int>)library.Function("clFlush");

    public readonly delegate* unmanaged<nint, int> Finish = (delegate* unmanaged<nint, int>)library.Function("clFinish");

    public readonly delegate* unmanaged<uint, nint*, int> WaitForEvents =
        (delegate* unmanaged<uint, nint*, int>)library.Function("clWaitForEvents");

    public readonly delegate* unmanaged<nint, uint, nuint, void*, nuint*, int> GetEventInfo =
        (delegate* unmanaged<nint, uint, nuint, void*, nuint*, int>)library.Function("clGetEventInfo");

    public readonly delegate* unmanaged<nint, uint, nuint, void*, nuint*, int> GetEventProfilingInfo =
        (delegate* unmanaged<nint, uint, nuint, void*, nuint*, int>)library.Function("clGetEventProfilingInfo");

    public readonly delegate* unmanaged<nint, int> ReleaseEvent =
        (delegate* unmanaged<nint, int>)library.Function("clReleaseEvent");
}

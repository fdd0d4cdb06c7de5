namespace Merge.Compute.Gpu.Drivers;

/// <summary>A stream of CUDA.</summary>
internal sealed unsafe class CudaStream(CudaContext context, nint stream) : DeviceStream
{
    private nint _stream = stream;

    public override DeviceEvent Record()
    {
        var functions = context.Current;
        nint made;
        context.Check(functions.EventCreate(&made, 0), "making an event");
        var handle = new CudaEvent(context, made);
        try
        {
            context.Check(functions.EventRecord(made, _stream), "recording an event");
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public override void WaitFor(DeviceEvent earlier) => context.Check(
        context.Current.StreamWaitEvent(_stream, ((CudaEvent)earlier).Handle, 0), "waiting for another stream");

    public override void Synchronise() => context.Check(context.Current.StreamSynchronize(_stream), "waiting for a stream");

    public override void Dispose()
    {
        var held = Interlocked.Exchange(ref _stream, 0);
        if (held == 0)
            return;
        context.ReleaseStream(held);
    }

    protected override void QueueCopyIn(nint source, DeviceBuffer target, long offset, long bytes) => context.Check(
        context.Current.MemcpyHtoDAsync(At(target, offset), (void*)source, (nuint)bytes, _stream), "copying to it");

    protected override void QueueCopyOut(DeviceBuffer source, long offset, nint target, long bytes) => context.Check(
        context.Current.MemcpyDtoHAsync((void*)target, At(source, offset), (nuint)bytes, _stream), "copying from it");

    protected override void QueueCopy(
        DeviceBuffer source, long sourceOffset, DeviceBuffer target, long targetOffset, long bytes) => context.Check(
        context.Current.MemcpyDtoDAsync(At(target, targetOffset), At(source, sourceOffset), (nuint)bytes, _stream),
        "copying within it");

    protected override void QueueFill(DeviceBuffer target, long offset, long bytes, uint pattern) => context.Check(
        context.Current.MemsetD32Async(At(target, offset), pattern, (nuint)(bytes / sizeof(uint)), _stream),
        "filling its memory");

    protected override void QueueLaunch(DeviceKernel kernel, LaunchShape shape, ReadOnlySpan<KernelArgument> arguments)
    {
        var bits = stackalloc ulong[arguments.Length];
        var places = stackalloc void*[arguments.Length];
        for (var i = 0; i < arguments.Length; i++)
        {
            bits[i] = arguments[i].Buffer is { } buffer ? At(buffer, 0) : arguments[i].Bits;
            places[i] = bits + i;
        }
        context.Check(
            context.Current.LaunchKernel(
                ((CudaKernel)kernel).Function, (uint)shape.GroupsX, (uint)shape.GroupsY, 1, (uint)shape.GroupSize, 1, 1, 0,
                _stream, places, null),
            $"starting {kernel.Name}");
    }

    private static ulong At(DeviceBuffer buffer, long offset) => ((CudaBuffer)buffer).Address + (ulong)offset;
}

internal sealed unsafe class CudaEvent(CudaContext context, nint handle) : DeviceEvent
{
    private nint _handle = handle;

    public nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(CudaEvent));

    public override bool IsDone
    {
        get
        {
            var code = context.Current.EventQuery(Handle);
            if (code == CudaErrors.NotReady)
                return false;
            context.Check(code, "asking for an event");
            return true;
        }
    }

    public override void Wait() => context.Check(context.Current.EventSynchronize(Handle), "waiting for an event");

    public override double MillisecondsSince(DeviceEvent earlier)
    {
        float milliseconds;
        context.Check(
            context.Current.EventElapsedTime(&milliseconds, ((CudaEvent)earlier).Handle, Handle), "timing");
        return milliseconds;
    }

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _handle, 0) is not 0 and var held)
            context.ReleaseEvent(held);
    }
}

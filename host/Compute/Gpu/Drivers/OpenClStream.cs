namespace Merge.Compute.Gpu.Drivers;

/// <summary>A queue of OpenCL, in order.</summary>
internal sealed unsafe class OpenClStream(OpenClContext context, nint queue) : DeviceStream
{
    private readonly OpenClFunctions _functions = context.Functions;
    private nint _queue = queue;

    public override DeviceEvent Record()
    {
        nint marker;
        context.Check(_functions.EnqueueMarkerWithWaitList(_queue, 0, null, &marker), "recording an event");
        // Another queue may wait for it, and nothing else would send this one off.
        context.Check(_functions.Flush(_queue), "recording an event");
        return new OpenClEvent(context, marker);
    }

    public override void WaitFor(DeviceEvent earlier)
    {
        var handle = ((OpenClEvent)earlier).Handle;
        context.Check(_functions.EnqueueBarrierWithWaitList(_queue, 1, &handle, null), "waiting for another queue");
    }

    public override void Synchronise() => context.Check(_functions.Finish(_queue), "waiting for a queue");

    public override void Dispose()
    {
        var held = Interlocked.Exchange(ref _queue, 0);
        if (held == 0)
            return;
        // What is queued may still use memory that is about to be freed.
        _ = _functions.Finish(held);
        _ = _functions.ReleaseCommandQueue(held);
    }

    protected override void QueueCopyIn(nint source, DeviceBuffer target, long offset, long bytes) => context.Check(
        _functions.EnqueueWriteBuffer(
            _queue, Memory(target), 0, (nuint)offset, (nuint)bytes, (void*)source, 0, null, null),
        "copying to it");

    protected override void QueueCopyOut(DeviceBuffer source, long offset, nint target, long bytes) => context.Check(
        _functions.EnqueueReadBuffer(
            _queue, Memory(source), 0, (nuint)offset, (nuint)bytes, (void*)target, 0, null, null),
        "copying from it");

    protected override void QueueCopy(
        DeviceBuffer source, long sourceOffset, DeviceBuffer target, long targetOffset, long bytes) => context.Check(
        _functions.EnqueueCopyBuffer(
            _queue, Memory(source), Memory(target), (nuint)sourceOffset, (nuint)targetOffset, (nuint)bytes, 0, null, null),
        "copying within it");

    protected override void QueueFill(DeviceBuffer target, long offset, long bytes, uint pattern) => context.Check(
        _functions.EnqueueFillBuffer(
            _queue, Memory(target), &pattern, sizeof(uint), (nuint)offset, (nuint)bytes, 0, null, null),
        "filling its memory");

    protected override void QueueLaunch(DeviceKernel kernel, LaunchShape shape, ReadOnlySpan<KernelArgument> arguments)
    {
        var handle = ((OpenClKernel)kernel).Handle;
        for (var i = 0; i < arguments.Length; i++)
        {
            var bits = arguments[i].Buffer is { } buffer ? (ulong)Memory(buffer) : arguments[i].Bits;
            context.Check(
                _functions.SetKernelArg(handle, (uint)i, (nuint)arguments[i].Size, &bits),
                $"giving {kernel.Name} argument {i}");
        }
        var global = stackalloc nuint[] { (nuint)(shape.GroupsX * shape.GroupSize), (nuint)shape.GroupsY };
        var local = stackalloc nuint[] { (nuint)shape.GroupSize, 1 };
        context.Check(
            _functions.EnqueueNDRangeKernel(_queue, handle, 2, null, global, local, 0, null, null),
            $"starting {kernel.Name}");
    }

    private static nint Memory(DeviceBuffer buffer) => ((OpenClBuffer)buffer).Memory;
}

internal sealed unsafe class OpenClEvent(OpenClContext context, nint handle) : DeviceEvent
{
    private const uint ExecutionStatus = 0x11D3;
    private const uint TimeOfEnd = 0x1283;

    private nint _handle = handle;

    public nint Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(OpenClEvent));

    public override bool IsDone
    {
        get
        {
            int status;
            context.Check(
                context.Functions.GetEventInfo(Handle, ExecutionStatus, sizeof(int), &status, null), "asking for an event");
            context.Check(Math.Min(status, 0), "waiting for an event");
            return status == 0;
        }
    }

    public override void Wait()
    {
        var handle = Handle;
        context.Check(context.Functions.WaitForEvents(1, &handle), "waiting for an event");
    }

    public override double MillisecondsSince(DeviceEvent earlier) => (End() - ((OpenClEvent)earlier).End()) / 1e6;

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _handle, 0) is not 0 and var held)
            _ = context.Functions.ReleaseEvent(held);
    }

    private double End()
    {
        ulong nanoseconds;
        context.Check(
            context.Functions.GetEventProfilingInfo(Handle, TimeOfEnd, sizeof(ulong), &nanoseconds, null), "timing");
        return nanoseconds;
    }
}

using Merge.Compute.Gpu.Drivers;

namespace Merge.Compute.Gpu;

/// <summary>
/// What one worker has of a device: a stream, memory for a block and all that is made of it, kernels of its own. While
/// one worker waits for its stream, others' copies and kernels run.
/// </summary>
internal sealed class GpuLane(GpuDevice device) : IDisposable
{
    // Fewer, larger pieces: allocating stops the device.
    private const long Piece = 1 << 20;

    private readonly Dictionary<(DeviceModule, string), DeviceKernel> _kernels = [];
    private DeviceBuffer? _memory;
    private PinnedBuffer? _uploads;
    private DeviceBuffer? _results;

    public DeviceStream Stream { get; } = device.Context.CreateStream();

    /// <summary>Valid until more is reserved.</summary>
    public DeviceBuffer Memory => _memory!;

    /// <summary>Where small things are gathered that go to the device together.</summary>
    public nint Uploads => _uploads!.Address;

    /// <param name="memory">Bytes of the device.</param>
    /// <param name="uploads">Bytes of the host, from which they are copied.</param>
    public void Reserve(long memory, long uploads)
    {
        if (_memory is null || _memory.Length < memory)
        {
            _memory?.Dispose();
            _memory = null;
            _memory = device.Context.Allocate(Rounded(memory));
        }
        if (_uploads is null || _uploads.Length < uploads)
        {
            _uploads?.Dispose();
            _uploads = null;
            _uploads = device.Context.AllocatePinned(Rounded(uploads));
        }
    }

    /// <summary>At least so many bytes of the device for what values are reduced to; nothing queued may use the last.</summary>
    public DeviceBuffer Results(long bytes)
    {
        if (_results is null || _results.Length < bytes)
        {
            _results?.Dispose();
            _results = null;
            _results = device.Context.Allocate(Rounded(bytes));
        }
        return _results;
    }

    public DeviceKernel Kernel(DeviceModule module, string name)
    {
        if (!_kernels.TryGetValue((module, name), out var kernel))
            _kernels[(module, name)] = kernel = module.Kernel(name);
        return kernel;
    }

    /// <summary>Waits, after a fault: copies that were queued use the worker's buffers, which it is about to free.</summary>
    public void Drain()
    {
        try
        {
            Stream.Synchronise();
        }
        catch (DeviceException)
        {
            // The first fault is the one to tell.
        }
    }

    public void Dispose()
    {
        Stream.Dispose();
        foreach (var kernel in _kernels.Values)
            kernel.Dispose();
        _memory?.Dispose();
        _uploads?.Dispose();
        _results?.Dispose();
    }

    private static long Rounded(long bytes) => (bytes + Piece - 1) / Piece * Piece;
}

namespace Merge.Compute.Gpu.Drivers;

/// <summary>The language a device's programs are given in.</summary>
internal enum ProgramLanguage
{
    /// <summary>OpenCL C 1.2.</summary>
    OpenClC,
    /// <summary>NVIDIA's PTX, ISA 6.0, target sm_70.</summary>
    Ptx,
}

/// <summary>A device in use. Any thread may call it; what it makes belongs to one thread at a time unless it says otherwise.</summary>
internal abstract class DeviceContext(DeviceInfo info) : IDisposable
{
    private long _allocated;

    public DeviceInfo Info { get; } = info;

    /// <summary>Bytes of device memory that may be allocated, all together.</summary>
    public long Budget { get; set; } = long.MaxValue;

    /// <summary>Bytes of device memory that are allocated.</summary>
    public long Allocated => Interlocked.Read(ref _allocated);

    public abstract ProgramLanguage Language { get; }

    /// <summary>Bytes of device memory that nobody uses now, as far as the driver tells.</summary>
    public abstract long FreeMemory();

    /// <summary>Memory of the device, its content unknown. Any thread may use it.</summary>
    /// <param name="bytes">At least 1.</param>
    /// <exception cref="DeviceException">There is no more, or the budget does not allow it.</exception>
    public DeviceBuffer Allocate(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        if (Interlocked.Add(ref _allocated, bytes) > Budget)
        {
            Interlocked.Add(ref _allocated, -bytes);
            throw DeviceException.OverBudget(Info.ToString(), bytes, Allocated, Budget);
        }
        try
        {
            return AllocateChecked(bytes);
        }
        catch
        {
            Interlocked.Add(ref _allocated, -bytes);
            throw;
        }
    }

    /// <summary>Host memory that the device copies from and to without detour, aligned to 64 bytes at least.</summary>
    /// <param name="bytes">At least 1.</param>
    public PinnedBuffer AllocatePinned(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        return AllocatePinnedChecked(bytes);
    }

    public abstract DeviceStream CreateStream();

    /// <summary>Compiles a program. Any thread may use it.</summary>
    /// <param name="name">What messages call it.</param>
    /// <param name="text">In the <see cref="Language"/>.</param>
    public abstract DeviceModule Load(string name, string text);

    public abstract void Dispose();

    /// <summary>To be called when a buffer is given back.</summary>
    protected void NoteFreed(long bytes) => Interlocked.Add(ref _allocated, -bytes);

    protected abstract DeviceBuffer AllocateChecked(long bytes);

    protected abstract PinnedBuffer AllocatePinnedChecked(long bytes);
}

/// <summary>Memory of a device.</summary>
internal abstract class DeviceBuffer(long length) : IDisposable
{
    /// <summary>Bytes.</summary>
    public long Length { get; } = length;

    public abstract void Dispose();
}

/// <summary>Host memory that a device reaches.</summary>
internal abstract unsafe class PinnedBuffer(nint address, long length) : IDisposable
{
    public nint Address { get; } = address;

    /// <summary>Bytes.</summary>
    public long Length { get; } = length;

    public Span<byte> Span => new((void*)Address, checked((int)Length));

    public abstract void Dispose();
}

/// <summary>A compiled program.</summary>
internal abstract class DeviceModule : IDisposable
{
    /// <summary>One of its kernels, for one thread at a time: each stream takes its own.</summary>
    public abstract DeviceKernel Kernel(string name);

    public abstract void Dispose();
}

internal abstract class DeviceKernel(string name) : IDisposable
{
    public string Name { get; } = name;

    public abstract void Dispose();
}

/// <summary>A place in a stream. Any thread may ask it.</summary>
internal abstract class DeviceEvent : IDisposable
{
    /// <summary>Whether all that was queued before it is done. A fault of it is thrown here.</summary>
    public abstract bool IsDone { get; }

    /// <summary>Waits until it is done.</summary>
    public abstract void Wait();

    /// <summary>Milliseconds between an earlier event and this; both must be done.</summary>
    public abstract double MillisecondsSince(DeviceEvent earlier);

    public abstract void Dispose();
}

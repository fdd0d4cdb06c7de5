using System.Runtime.InteropServices;
using System.Text;

namespace Merge.Compute.Gpu.Drivers;

/// <summary>
/// A card's primary context. It must be the calling thread's current one, and threads of a pool come and go: every call
/// makes it so.
/// </summary>
internal sealed unsafe class CudaContext : DeviceContext
{
    // Threads that wait sleep: there are more of them than processors.
    private const uint BlockingSync = 4;
    private const uint Portable = 1;
    private const uint NonBlocking = 1;
    private const int ErrorLog = 5;
    private const int ErrorLogBytes = 6;
    private const int LogBytes = 8192;

    private readonly CudaFunctions _functions;
    private readonly int _device;
    private nint _context;

    public CudaContext(CudaFunctions functions, int device, DeviceInfo info)
        : base(info)
    {
        (_functions, _device) = (functions, device);
        // Refused where another library of this process has the context already: then it stays as it is.
        _ = functions.PrimaryCtxSetFlags(device, BlockingSync);
        nint context;
        CudaDevice.Check(functions, functions.PrimaryCtxRetain(&context, device), info.ToString(), "opening it");
        _context = context;
    }

    public override ProgramLanguage Language => ProgramLanguage.Ptx;

    /// <summary>The driver's functions, with the context current on this thread.</summary>
    public CudaFunctions Current
    {
        get
        {
            ObjectDisposedException.ThrowIf(_context == 0, this);
            Check(_functions.CtxSetCurrent(_context), "turning to it");
            return _functions;
        }
    }

    // For giving something back: what fails then failed before, and was said then.
    private bool IsCurrent => _context != 0 && _functions.CtxSetCurrent(_context) == 0;

    public override long FreeMemory()
    {
        nuint free, total;
        Check(Current.MemGetInfo(&free, &total), "asking for its free memory");
        return (long)free;
    }

    public override DeviceStream CreateStream()
    {
        nint stream;
        Check(Current.StreamCreate(&stream, NonBlocking), "making a stream");
        return new CudaStream(this, stream);
    }

    public override DeviceModule Load(string name, string text)
    {
        var doing = $"compiling {name}";
        var log = stackalloc byte[LogBytes];
        log[0] = 0;
        var options = stackalloc int[] { ErrorLog, ErrorLogBytes };
        var values = stackalloc void*[] { log, (void*)LogBytes };
        nint module;
        int code;
        fixed (byte* image = Encoding.UTF8.GetBytes(text + '\0'))
            code = Current.ModuleLoadDataEx(&module, image, 2, options, values);
        if (code == 0)
            return new CudaModule(this, module, name);
        var said = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(log)).Trim();
        throw DeviceException.Of(
            CudaErrors.Fault(code), Info.ToString(), doing, $"{CudaDevice.Text(_functions, code)}: {said}".TrimEnd(' ', ':'));
    }

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _context, 0) != 0)
            _ = _functions.PrimaryCtxRelease(_device);
    }

    public void Check(int code, string doing) => CudaDevice.Check(_functions, code, Info.ToString(), doing);

    public void ReleaseModule(nint module) => _ = IsCurrent ? _functions.ModuleUnload(module) : 0;

    public void ReleaseStream(nint stream)
    {
        if (!IsCurrent)
            return;
        // What is queued may still use memory that is about to be freed.
        _ = _functions.StreamSynchronize(stream);
        _ = _functions.StreamDestroy(stream);
    }

    public void ReleaseEvent(nint handle) => _ = IsCurrent ? _functions.EventDestroy(handle) : 0;

    public void ReleaseMemory(ulong address, long bytes)
    {
        _ = IsCurrent ? _functions.MemFree(address) : 0;
        NoteFreed(bytes);
    }

    public void ReleaseHost(nint address) => _ = IsCurrent ? _functions.MemFreeHost((void*)address) : 0;

    protected override DeviceBuffer AllocateChecked(long bytes)
    {
        ulong address;
        Check(Current.MemAlloc(&address, (nuint)bytes), $"allocating {MemoryText.Of(bytes)} of its memory");
        return new CudaBuffer(this, address, bytes);
    }

    protected override PinnedBuffer AllocatePinnedChecked(long bytes)
    {
        void* address;
        Check(
            Current.MemHostAlloc(&address, (nuint)bytes, Portable),
            $"allocating {MemoryText.Of(bytes)} of host memory that it reaches");
        return new CudaPinnedBuffer(this, (nint)address, bytes);
    }
}

internal sealed class CudaBuffer(CudaContext context, ulong address, long length) : DeviceBuffer(length)
{
    private ulong _address = address;

    public ulong Address => _address != 0 ? _address : throw new ObjectDisposedException(nameof(CudaBuffer));

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _address, 0) is not 0 and var held)
            context.ReleaseMemory(held, Length);
    }
}

internal sealed class CudaPinnedBuffer(CudaContext context, nint address, long length) : PinnedBuffer(address, length)
{
    private nint _held = address;

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _held, 0) is not 0 and var held)
            context.ReleaseHost(held);
    }
}

internal sealed unsafe class CudaModule(CudaContext context, nint module, string name) : DeviceModule
{
    private nint _module = module;

    public override DeviceKernel Kernel(string kernel)
    {
        nint function;
        fixed (byte* text = Encoding.UTF8.GetBytes(kernel + '\0'))
            context.Check(context.Current.ModuleGetFunction(&function, _module, text), $"looking for {kernel} in {name}");
        return new CudaKernel(function, kernel);
    }

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _module, 0) is not 0 and var held)
            context.ReleaseModule(held);
    }
}

/// <summary>A kernel; it lives as long as its module.</summary>
internal sealed class CudaKernel(nint function, string name) : DeviceKernel(name)
{
    public nint Function => function;

    public override void Dispose()
    {
    }
}

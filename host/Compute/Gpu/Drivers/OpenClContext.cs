using System.Text;

namespace Merge.Compute.Gpu.Drivers;

/// <summary>A device used through OpenCL.</summary>
internal sealed unsafe class OpenClContext : DeviceContext
{
    private const ulong ReadWrite = 1 << 0;
    private const ulong AllocHostPointer = 1 << 4;
    private const ulong MapForReadingAndWriting = 3;
    private const ulong Profiling = 1 << 1;
    private const uint BuildLog = 0x1183;

    // PoCL's compiler, building two programs at once, has lost a temporary file of one of them.
    private static readonly Lock Building = new();

    private readonly nint _device;
    private readonly nint _queue;
    private nint _context;

    public OpenClContext(OpenClFunctions functions, nint device, DeviceInfo info)
        : base(info)
    {
        (Functions, _device) = (functions, device);
        int code;
        _context = functions.CreateContext(null, 1, &device, null, null, &code);
        Check(code, "making a context");
        _queue = functions.CreateCommandQueue(_context, device, 0, &code);
        Check(code, "making a queue");
    }

    public override ProgramLanguage Language => ProgramLanguage.OpenClC;

    public OpenClFunctions Functions { get; }

    // OpenCL does not tell what others use.
    public override long FreeMemory() => Math.Max(Info.Memory - Allocated, 0);

    public override DeviceStream CreateStream()
    {
        int code;
        var queue = Functions.CreateCommandQueue(_context, _device, Profiling, &code);
        Check(code, "making a queue");
        return new OpenClStream(this, queue);
    }

    public override DeviceModule Load(string name, string text)
    {
        var doing = $"compiling {name}";
        var bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* first = bytes, options = "-cl-std=CL1.2 -cl-fp32-correctly-rounded-divide-sqrt\0"u8)
        {
            var source = first;
            var length = (nuint)bytes.Length;
            int code;
            var program = Functions.CreateProgramWithSource(_context, 1, &source, &length, &code);
            Check(code, doing);
            var device = _device;
            lock (Building)
                code = Functions.BuildProgram(program, 1, &device, options, null, null);
            if (code == 0)
                return new OpenClModule(this, program, name);
            var log = Log(program);
            _ = Functions.ReleaseProgram(program);
            throw DeviceException.Of(
                OpenClErrors.Fault(code), Info.ToString(), doing, $"{OpenClErrors.Text(code)}: {log}");
        }
    }

    public override void Dispose()
    {
        if (_context == 0)
            return;
        _ = Functions.ReleaseCommandQueue(_queue);
        _ = Functions.ReleaseContext(_context);
        _context = 0;
    }

    public void Check(int code, string doing) => OpenClDevice.Check(code, Info.ToString(), doing);

    public void Release(nint memory, long bytes)
    {
        _ = Functions.ReleaseMemObject(memory);
        NoteFreed(bytes);
    }

    public void Release(nint memory, nint address)
    {
        _ = Functions.EnqueueUnmapMemObject(_queue, memory, (void*)address, 0, null, null);
        _ = Functions.Finish(_queue);
        _ = Functions.ReleaseMemObject(memory);
    }

    protected override DeviceBuffer AllocateChecked(long bytes)
    {
        int code;
        var memory = Functions.CreateBuffer(_context, ReadWrite, (nuint)bytes, null, &code);
        Check(code, $"allocating {MemoryText.Of(bytes)} of its memory");
        return new OpenClBuffer(this, memory, bytes);
    }

    protected override PinnedBuffer AllocatePinnedChecked(long bytes)
    {
        var doing = $"allocating {MemoryText.Of(bytes)} of host memory that it reaches";
        int code;
        var memory = Functions.CreateBuffer(_context, ReadWrite | AllocHostPointer, (nuint)bytes, null, &code);
        Check(code, doing);
        // Mapped as long as it lives: this is what drivers take for pinned memory.
        var address = Functions.EnqueueMapBuffer(
            _queue, memory, 1, MapForReadingAndWriting, 0, (nuint)bytes, 0, null, null, &code);
        if (code != 0)
            _ = Functions.ReleaseMemObject(memory);
        Check(code, doing);
        return new OpenClPinnedBuffer(this, memory, (nint)address, bytes);
    }

    private string Log(nint program)
    {
        nuint bytes = 0;
        if (Functions.GetProgramBuildInfo(program, _device, BuildLog, 0, null, &bytes) != 0 || bytes == 0)
            return "no build log";
        var text = new byte[bytes];
        fixed (byte* first = text)
            _ = Functions.GetProgramBuildInfo(program, _device, BuildLog, bytes, first, null);
        return Encoding.UTF8.GetString(text).TrimEnd('\0').Trim();
    }
}

internal sealed class OpenClBuffer(OpenClContext context, nint memory, long length) : DeviceBuffer(length)
{
    private nint _memory = memory;

    public nint Memory => _memory != 0 ? _memory : throw new ObjectDisposedException(nameof(OpenClBuffer));

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _memory, 0) is not 0 and var held)
            context.Release(held, Length);
    }
}

internal sealed class OpenClPinnedBuffer(OpenClContext context, nint memory, nint address, long length)
    : PinnedBuffer(address, length)
{
    private nint _memory = memory;

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _memory, 0) is not 0 and var held)
            context.Release(held, Address);
    }
}

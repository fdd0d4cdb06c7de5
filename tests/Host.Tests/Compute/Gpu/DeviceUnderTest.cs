using System.Runtime.InteropServices;
using Merge.Compute.Gpu;
using Merge.Compute.Gpu.Drivers;

namespace Host.Tests.Compute.Gpu;

/// <summary>The first OpenCL device with the fixed kernels, and shortcuts to try one.</summary>
public sealed class DeviceUnderTest : IDisposable
{
    // Work groups of 256: two, so that they stride over what is left.
    private static readonly LaunchShape Small = new(2);

    private readonly Lazy<DeviceContext> _context = new(() => OpenClDevice.All()[0].Open());
    private readonly Lazy<DeviceModule> _module;
    private readonly Lazy<DeviceStream> _stream;

    public DeviceUnderTest()
    {
        _module = new(() => FixedKernels.Load(_context.Value));
        _stream = new(() => _context.Value.CreateStream());
    }

    internal DeviceContext Context => _context.Value;

    internal DeviceStream Stream => _stream.Value;

    internal DeviceKernel Kernel(string name) => _module.Value.Kernel(name);

    /// <summary>A buffer with these values, a number of bytes after its beginning.</summary>
    internal DeviceBuffer Buffer<T>(ReadOnlySpan<T> values, long at = 0)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values);
        var buffer = Context.Allocate(at + Math.Max(bytes.Length, 1));
        Stream.Write(bytes, buffer, at);
        return buffer;
    }

    internal T[] Read<T>(DeviceBuffer buffer, int count, long at = 0)
        where T : unmanaged
    {
        var values = new T[count];
        Stream.Read(buffer, at, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    internal void Run(string name, params ReadOnlySpan<KernelArgument> arguments)
    {
        using var kernel = Kernel(name);
        Stream.Launch(kernel, Small, arguments);
        Stream.Synchronise();
    }

    public void Dispose()
    {
        if (_stream.IsValueCreated)
            _stream.Value.Dispose();
        if (_module.IsValueCreated)
            _module.Value.Dispose();
        if (_context.IsValueCreated)
            _context.Value.Dispose();
    }
}

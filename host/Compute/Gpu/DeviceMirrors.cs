using System.Collections.Concurrent;
using Merge.Compute.Gpu.Drivers;

namespace Merge.Compute.Gpu;

/// <summary>Host memory that is on a device, too, to stay: kernels read it there.</summary>
internal sealed class DeviceMirrors(DeviceContext context)
{
    // Copies of memory that is not pinned go through the driver's own buffers.
    private const long Piece = 64L << 20;

    private readonly ConcurrentDictionary<nint, (long Bytes, DeviceBuffer Buffer)> _mirrors = new();

    /// <summary>Copies host memory to the device; null where that leaves too little room for blocks.</summary>
    /// <param name="address">The memory. It must not change while the mirror is held.</param>
    /// <param name="bytes">Its length.</param>
    /// <returns>What gives the device's memory back.</returns>
    public IDisposable? Add(nint address, long bytes)
    {
        if (bytes > Math.Min(context.Info.LargestBuffer, (context.Budget - context.Allocated) / 4 * 3))
            return null;
        DeviceBuffer buffer;
        try
        {
            buffer = context.Allocate(bytes);
        }
        catch (DeviceException fault) when (fault.Fault == DeviceFault.OutOfMemory)
        {
            return null;
        }
        try
        {
            using var stream = context.CreateStream();
            for (var at = 0L; at < bytes; at += Piece)
            {
                stream.CopyIn(address + (nint)at, buffer, at, Math.Min(Piece, bytes - at));
                stream.Synchronise();
            }
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
        _mirrors[address] = (bytes, buffer);
        return new Mirror(this, address);
    }

    /// <summary>Where on the device some host memory is; null if it is not.</summary>
    public (DeviceBuffer Buffer, long At)? Find(nint address, long bytes)
    {
        foreach (var (start, (length, buffer)) in _mirrors)
        {
            if (address >= start && address - start <= length - bytes)
                return (buffer, address - start);
        }
        return null;
    }

    private sealed class Mirror(DeviceMirrors owner, nint address) : IDisposable
    {
        public void Dispose()
        {
            if (owner._mirrors.TryRemove(address, out var mirror))
                mirror.Buffer.Dispose();
        }
    }
}

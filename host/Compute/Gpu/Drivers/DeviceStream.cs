namespace Merge.Compute.Gpu.Drivers;

/// <summary>
/// Work in order, beside that of other streams. Nothing here waits for the device unless it says so; host memory must
/// stay as it is until what uses it is done; the stream is disposed before the memory it uses, and waits then.
/// </summary>
internal abstract class DeviceStream : IDisposable
{
    /// <summary>Copies host memory (of any kind; the pinned kind beside other work) to the device.</summary>
    public void CopyIn(nint source, DeviceBuffer target, long offset, long bytes)
    {
        Check(target, offset, bytes);
        if (bytes > 0)
            QueueCopyIn(source, target, offset, bytes);
    }

    /// <summary>Copies device memory to the host.</summary>
    public void CopyOut(DeviceBuffer source, long offset, nint target, long bytes)
    {
        Check(source, offset, bytes);
        if (bytes > 0)
            QueueCopyOut(source, offset, target, bytes);
    }

    /// <summary>Copies within the device's memory. The two places do not overlap.</summary>
    public void Copy(DeviceBuffer source, long sourceOffset, DeviceBuffer target, long targetOffset, long bytes)
    {
        Check(source, sourceOffset, bytes);
        Check(target, targetOffset, bytes);
        if (bytes > 0)
            QueueCopy(source, sourceOffset, target, targetOffset, bytes);
    }

    /// <summary>Sets device memory to a 32-bit pattern. Place and length are multiples of 4.</summary>
    public void Fill(DeviceBuffer target, long offset, long bytes, uint pattern)
    {
        Check(target, offset, bytes);
        if (offset % sizeof(uint) != 0 || bytes % sizeof(uint) != 0)
            throw new ArgumentException($"fills 32-bit words, not [{offset}, {offset + bytes})");
        if (bytes > 0)
            QueueFill(target, offset, bytes, pattern);
    }

    /// <summary>Runs a kernel.</summary>
    public void Launch(DeviceKernel kernel, LaunchShape shape, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (shape.GroupsX is < 1 or > int.MaxValue || shape.GroupsY is < 1 or > 65535 || shape.GroupSize is < 1 or > 1024)
            throw new ArgumentOutOfRangeException(nameof(shape), shape, "not a launch that every device can do");
        QueueLaunch(kernel, shape, arguments);
    }

    /// <summary>Copies a few bytes of managed memory to the device; waits until that is done.</summary>
    public unsafe void Write(ReadOnlySpan<byte> source, DeviceBuffer target, long offset)
    {
        fixed (byte* bytes = source)
        {
            CopyIn((nint)bytes, target, offset, source.Length);
            Synchronise();
        }
    }

    /// <summary>Copies a few bytes of device memory to managed memory; waits until that is done.</summary>
    public unsafe void Read(DeviceBuffer source, long offset, Span<byte> target)
    {
        fixed (byte* bytes = target)
        {
            CopyOut(source, offset, (nint)bytes, target.Length);
            Synchronise();
        }
    }

    /// <summary>Marks the place that all queued so far leads to.</summary>
    public abstract DeviceEvent Record();

    /// <summary>What is queued from now on begins after an event of any stream of the context.</summary>
    public abstract void WaitFor(DeviceEvent earlier);

    /// <summary>Waits until all is done; throws what failed of it.</summary>
    public abstract void Synchronise();

    public abstract void Dispose();

    protected abstract void QueueCopyIn(nint source, DeviceBuffer target, long offset, long bytes);

    protected abstract void QueueCopyOut(DeviceBuffer source, long offset, nint target, long bytes);

    protected abstract void QueueCopy(
        DeviceBuffer source, long sourceOffset, DeviceBuffer target, long targetOffset, long bytes);

    protected abstract void QueueFill(DeviceBuffer target, long offset, long bytes, uint pattern);

    protected abstract void QueueLaunch(DeviceKernel kernel, LaunchShape shape, ReadOnlySpan<KernelArgument> arguments);

    // A driver may write beyond a buffer without a word.
    private static void Check(DeviceBuffer buffer, long offset, long bytes)
    {
        if (offset < 0 || bytes < 0 || offset > buffer.Length - bytes)
            throw new ArgumentOutOfRangeException(nameof(offset), $"[{offset}, {offset + bytes}) of a buffer of {buffer.Length} bytes");
    }
}

/// <summary>How many work groups of how many threads; a kernel's groups lie along x, the second direction is rarely used.</summary>
internal readonly record struct LaunchShape(long GroupsX, int GroupSize = LaunchShape.Usual, int GroupsY = 1)
{
    /// <summary>What the fixed kernels are written for.</summary>
    public const int Usual = 256;

    // Enough to fill any card several times over; kernels stride over the rest.
    private const long MostGroups = 1 << 16;

    /// <summary>A thread an item, as far as that is sensible: kernels loop in strides of all threads.</summary>
    public static LaunchShape Over(long items) => new(Math.Clamp((items + Usual - 1) / Usual, 1, MostGroups));
}

/// <summary>A buffer, or a number by value.</summary>
internal readonly struct KernelArgument
{
    private KernelArgument(ulong bits, int size) => (Bits, Size) = (bits, size);

    private KernelArgument(DeviceBuffer buffer) => (Buffer, Size) = (buffer, sizeof(ulong));

    public DeviceBuffer? Buffer { get; }

    /// <summary>The number's bits, in the low bytes.</summary>
    public ulong Bits { get; }

    /// <summary>Bytes.</summary>
    public int Size { get; }

    public static implicit operator KernelArgument(DeviceBuffer buffer) => new(buffer);

    public static implicit operator KernelArgument(int value) => new((uint)value, sizeof(int));

    public static implicit operator KernelArgument(uint value) => new(value, sizeof(uint));

    public static implicit operator KernelArgument(long value) => new((ulong)value, sizeof(long));

    public static implicit operator KernelArgument(ulong value) => new(value, sizeof(ulong));

    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value), sizeof(float));

    public static implicit operator KernelArgument(double value) => new(BitConverter.DoubleToUInt64Bits(value), sizeof(double));
}

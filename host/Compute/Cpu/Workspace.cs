using System.Runtime.InteropServices;

namespace Merge.Compute.Cpu;

/// <summary>Parts of a <see cref="Workspace"/> that are in use at the same time.</summary>
internal enum Scratch
{
    /// <summary>Values an interpreted loop passes from one operation to the next.</summary>
    Loop,
    /// <summary>Values that pass between the stages of a kernel.</summary>
    Kernel,
    /// <summary>Values that a sweep reduces.</summary>
    Sweep,
}

/// <summary>
/// Scratch memory of one worker, outside the garbage collector; it grows to the largest kernel it serves. Of a device
/// other than the processor it holds the worker's share.
/// </summary>
internal sealed unsafe class Workspace : IDisposable
{
    private readonly nint[] _memory = new nint[3];
    private readonly long[] _bytes = new long[3];
    private readonly Dictionary<object, IDisposable> _owned = new(ReferenceEqualityComparer.Instance);

    ~Workspace() => Free();

    /// <summary>Bytes held now.</summary>
    public long Bytes => _bytes.Sum();

    /// <summary>
    /// At least so many bytes, 64-byte aligned, their content unknown; valid until the next call for the same part.
    /// </summary>
    public byte* Reserve(Scratch part, long bytes)
    {
        ref var memory = ref _memory[(int)part];
        ref var held = ref _bytes[(int)part];
        if (bytes > held)
        {
            NativeMemory.AlignedFree((void*)memory);
            (memory, held) = (0, 0);
            memory = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);
            held = bytes;
        }
        return (byte*)memory;
    }

    /// <summary>What the worker has of a device, made when it is first asked for.</summary>
    public T Of<T>(object device, Func<T> make)
        where T : class, IDisposable
    {
        if (!_owned.TryGetValue(device, out var own))
            _owned[device] = own = make();
        return (T)own;
    }

    public void Dispose()
    {
        foreach (var own in _owned.Values)
            own.Dispose();
        _owned.Clear();
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        foreach (var memory in _memory)
            NativeMemory.AlignedFree((void*)memory);
        Array.Clear(_memory);
        Array.Clear(_bytes);
    }
}

using System.Runtime.InteropServices;

namespace Merge.Scoring;

/// <summary>Native memory of any length.</summary>
internal sealed unsafe class NativeBlock : IDisposable
{
    private byte* _memory;

    /// <exception cref="OutOfMemoryException">There is not that much.</exception>
    public NativeBlock(long bytes) => _memory = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, bytes));

    ~NativeBlock() => NativeMemory.Free(_memory);

    public byte* At(long offset) => _memory + offset;

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        _memory = null;
        GC.SuppressFinalize(this);
    }
}

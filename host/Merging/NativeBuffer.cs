using System.Runtime.InteropServices;

namespace Merge.Merging;

/// <summary>Native memory that one worker reads into or writes from; grows, never shrinks while the run lasts.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    /// <summary>A cache line and the widest vector.</summary>
    private const nuint Alignment = 64;

    private void* _memory;

    public nint Address => (nint)_memory;

    public int Length { get; private set; }

    public Span<byte> Take(int bytes)
    {
        if (bytes > Length)
        {
            NativeMemory.AlignedFree(_memory);
            _memory = null;
            _memory = NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
            Length = bytes;
        }
        return new(_memory, bytes);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        Length = 0;
    }
}

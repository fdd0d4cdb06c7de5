using System.Runtime.InteropServices;
using Merge.Compute;

namespace Merge.Merging;

/// <summary>Native memory that one worker reads into or writes from; grows, never shrinks while the run lasts.</summary>
/// <param name="memory">Where it is; null: anywhere.</param>
internal sealed unsafe class NativeBuffer(IHostMemory? memory = null) : IDisposable
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
            Dispose();
            _memory = memory is null
                ? NativeMemory.AlignedAlloc((nuint)bytes, Alignment)
                : (void*)memory.Allocate(bytes);
            Length = bytes;
        }
        return new(_memory, bytes);
    }

    public void Dispose()
    {
        if (memory is null)
            NativeMemory.AlignedFree(_memory);
        else if (_memory != null)
            memory.Free((nint)_memory);
        _memory = null;
        Length = 0;
    }
}

using System.Runtime.InteropServices;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Benchmarks;

/// <summary>Keeps a candidate in memory, the same memory for every generation.</summary>
internal sealed unsafe class MemorySink : ITensorSink, IDisposable
{
    private readonly Dictionary<string, nint> _tensors = [];
    private readonly void* _memory;

    public MemorySink(MergePlan plan)
    {
        _memory = NativeMemory.AlignedAlloc((nuint)plan.Tensors.Sum(Bytes), 64);
        var address = (nint)_memory;
        foreach (var tensor in plan.Tensors)
        {
            _tensors.Add(tensor.Info.Name, address);
            address += (nint)Bytes(tensor);
        }
    }

    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes) =>
        bytes.CopyTo(new Span<byte>((void*)(_tensors[tensor] + (nint)offset), bytes.Length));

    public void Finish(TensorPlan tensor, uint checksum)
    {
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    private static long Bytes(TensorPlan tensor) => ((tensor.Info.Count * tensor.OutType.Bits() / 8) + 63) / 64 * 64;
}

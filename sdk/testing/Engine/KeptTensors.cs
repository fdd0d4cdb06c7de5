using System.Runtime.InteropServices;
using Merge.Merging;
using Merge.Planning;

namespace Merge.Testing.Engine;

/// <summary>Keeps the float32 tensors a run writes.</summary>
internal sealed class KeptTensors(MergePlan plan) : ITensorSink
{
    public Dictionary<string, float[]> Values { get; } =
        plan.Tensors.ToDictionary(t => t.Info.Name, t => new float[t.Info.Count]);

    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes) =>
        bytes.CopyTo(MemoryMarshal.AsBytes(Values[tensor].AsSpan())[(int)offset..]);

    public void Finish(TensorPlan tensor, uint checksum)
    {
    }
}

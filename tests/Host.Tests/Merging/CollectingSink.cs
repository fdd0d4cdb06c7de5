using System.Collections.Concurrent;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Host.Tests.Merging;

/// <summary>Keeps what a run writes.</summary>
internal sealed class CollectingSink(MergePlan plan) : ITensorSink
{
    public ConcurrentDictionary<string, byte[]> Bytes { get; } = new(plan.Tensors.Select(
        t => KeyValuePair.Create(t.Info.Name, new byte[t.Info.Count * t.OutType.Bits() / 8])));

    public ConcurrentBag<string> Finished { get; } = [];

    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes) =>
        bytes.CopyTo(Bytes[tensor].AsSpan((int)offset));

    public void Finish(TensorPlan tensor, uint checksum) => Finished.Add(tensor.Info.Name);
}

using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Plugins.Tests.Engine;

/// <summary>
/// Keeps what a run writes, and holds it to the sink's contract: every byte once, each tensor finished once and last,
/// with the checksum of its bytes.
/// </summary>
internal sealed class MemorySink : ITensorSink
{
    private readonly Dictionary<string, (byte[] Bytes, bool[] Written)> _tensors;
    private readonly HashSet<string> _finished = [];

    public MemorySink(MergePlan plan) => _tensors = plan.Tensors.ToDictionary(t => t.Info.Name, t =>
    {
        var length = t.Info.Count * t.OutType.Bits() / 8;
        return (new byte[length], new bool[length]);
    });

    /// <summary>Every tensor's bytes, after the run.</summary>
    public IReadOnlyDictionary<string, byte[]> Tensors
    {
        get
        {
            Assert.Equal(_tensors.Keys.Order(), _finished.Order());
            return _tensors.ToDictionary(t => t.Key, t => t.Value.Bytes);
        }
    }

    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes)
    {
        var (kept, written) = _tensors[tensor];
        bytes.CopyTo(kept.AsSpan((int)offset));
        var marks = written.AsSpan((int)offset, bytes.Length);
        Assert.False(marks.Contains(true), $"bytes of {tensor} are written twice");
        marks.Fill(true);
    }

    public void Finish(TensorPlan tensor, uint checksum)
    {
        var (kept, written) = _tensors[tensor.Info.Name];
        Assert.DoesNotContain(false, written);
        Assert.Equal(Crc32C.Append(0, kept), checksum);
        lock (_finished)
            Assert.True(_finished.Add(tensor.Info.Name), $"{tensor.Info.Name} is finished twice");
    }
}

using Merge.Merging;
using Merge.Planning;

namespace Merge.Testing.Engine;

/// <summary>
/// Keeps nothing of a run on one worker but the managed memory its thread has allocated when a tensor is finished. The
/// thread is the run's own, so that whatever other tests do at the same time is not counted.
/// </summary>
internal sealed class AllocationMeter : ITensorSink
{
    public long Bytes { get; private set; }

    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes)
    {
    }

    public void Finish(TensorPlan tensor, uint checksum) => Bytes = GC.GetAllocatedBytesForCurrentThread();
}

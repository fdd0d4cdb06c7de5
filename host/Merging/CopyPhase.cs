using Merge.Checkpoints;
using Merge.Planning;

namespace Merge.Merging;

/// <summary>Writes a tensor's bytes as they are stored in one input.</summary>
internal sealed class CopyPhase(MergeContext context, TensorPlan plan, TensorSource source)
    : OutputPhase(context, plan, [source], context.BlockLength(plan, [source], 0, 1))
{
    public override void Run(int part, Worker worker)
    {
        Span<nint> address = stackalloc nint[1];
        var count = (int)LengthOf(part);
        Read(part, part * PartLength, count, worker, address);
        unsafe
        {
            Write(part, new ReadOnlySpan<byte>((void*)address[0], checked((int)(count * (source.Length / Count)))));
        }
    }
}

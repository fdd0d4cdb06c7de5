using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Planning;

namespace Merge.Merging;

/// <summary>Writes a tensor's bytes as they are stored in one input, or as an adapter in it makes them.</summary>
internal sealed class CopyPhase(MergeContext context, TensorPlan plan, TensorSource source)
    : OutputPhase(context, plan, [source], context.BlockLength(plan, [source], 0, 1))
{
    private readonly MergeContext _context = context;
    private readonly NewNonFinite? _nonFinite = source is AdaptedTensor ? new() : null;

    public override void Run(int part, Worker worker)
    {
        Span<nint> address = stackalloc nint[1];
        var (start, count) = (part * PartLength, (int)LengthOf(part));
        Read(part, start, count, worker, address);
        if (_nonFinite is not null && NonFinite.AnyOf([source.DType], address, count))
            _nonFinite.Note(part, HoldNonFinite([0], start, count, address));
        unsafe
        {
            Write(part, new ReadOnlySpan<byte>((void*)address[0], checked((int)(count * (source.Length / Count)))));
        }
    }

    public override void Finish()
    {
        base.Finish();
        if (_nonFinite?.Finding(Tensor, PartLength) is { } finding)
            _context.Findings.Enqueue(finding);
    }
}

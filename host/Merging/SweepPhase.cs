using Merge.Compute;
using Merge.Planning;

namespace Merge.Merging;

/// <summary>A pass that computes statistics; a part is a segment, whose accumulators one worker fills in order.</summary>
internal sealed class SweepPhase(RunContext context, TensorPlan plan, TensorSweep sweep)
    : Phase(context, [.. sweep.Inputs.Select(plan.Stored)], plan.Info.Count, sweep.SegmentLength)
{
    private readonly SweepSegment[] _segments = new SweepSegment[(plan.Info.Count + sweep.SegmentLength - 1) / sweep.SegmentLength];
    private readonly long _blockLength = context.BlockLength(plan, sweep.Inputs.Select(plan.Stored), 0, sweep.Unit);

    public override void Run(int part, Worker worker)
    {
        var start = part * PartLength;
        var end = start + LengthOf(part);
        var segment = sweep.Begin(start);
        Span<nint> addresses = stackalloc nint[sweep.Inputs.Count];
        for (var at = start; at < end; at += _blockLength)
        {
            var count = (int)Math.Min(_blockLength, end - at);
            sweep.Run(segment, at, count, Read(part, at, count, worker, addresses), worker.Workspace);
        }
        _segments[part] = segment;
    }

    public override void Finish()
    {
        base.Finish();
        sweep.Finish(_segments);
    }
}

using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>A pass that computes statistics; a part is a segment, whose accumulators one worker fills in order.</summary>
internal sealed class SweepPhase : Phase
{
    private readonly RunContext _context;
    private readonly TensorPlan _plan;
    private readonly TensorSweep _sweep;
    private readonly SweepSegment?[] _segments;
    private readonly long _blockLength;

    public SweepPhase(RunContext context, TensorPlan plan, TensorSweep sweep)
        : base(context, plan, [.. sweep.Inputs.Select(plan.Stored)], sweep.SegmentLength, !sweep.IsSample)
    {
        _context = context;
        _plan = plan;
        _sweep = sweep;
        _segments = new SweepSegment?[Parts];
        _blockLength = context.BlockLength(plan, sweep.Inputs.Select(plan.Stored), 0, sweep.Unit);
        var blockBytes = _blockLength * RunContext.ElementBytes(plan, sweep.Inputs.Select(plan.Stored), 0);
        context.RequireMemory(
            plan,
            sweep.Unit == 1 ? "takes statistics" : $"looks at {sweep.Unit} elements of this tensor at once",
            blockBytes + sweep.ScratchBytes + sweep.SegmentBytes,
            sweep.SharedBytes);
        // As many tensors as workers may be in hand at once: together they may hold half of the budget.
        IsLarge = sweep.SharedBytes > context.Settings.Memory / 2 / context.Settings.Threads;
    }

    /// <summary>Whether it holds so much that no other such tensor should be worked on beside it.</summary>
    public bool IsLarge { get; }

    public override void Run(int part, Worker worker)
    {
        var start = part * PartLength;
        // Until every input has been read once, it is read whole: its checksum is owed.
        var (first, end) = OwesChecksums ? (start, start + LengthOf(part)) : _sweep.Needs(start);
        if (first == end)
            return;
        var segment = _sweep.Begin(first, end);
        Span<nint> addresses = stackalloc nint[_sweep.Inputs.Count];
        for (var at = first; at < end; at += _blockLength)
        {
            var count = (int)Math.Min(_blockLength, end - at);
            Read(part, at, count, worker, addresses);
            try
            {
                _sweep.Run(segment, at, count, addresses, worker.Workspace);
            }
            catch (Exception fault) when (_sweep.HasMap && fault is not MergeException)
            {
                throw StrategyCall.Threw(_context.Method, _plan.Info.Name, fault);
            }
        }
        _segments[part] = segment;
    }

    public override void Finish()
    {
        base.Finish();
        _sweep.Finish([.. _segments.OfType<SweepSegment>()]);
    }
}

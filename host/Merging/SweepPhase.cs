using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>A pass that computes statistics; a part is a segment, whose accumulators one worker fills in order.</summary>
internal sealed class SweepPhase : Phase
{
    private readonly RunContext _context;
    private readonly TensorPlan _plan;
    private readonly TensorSweep _sweep;
    private readonly DrawMemory? _draws;
    private readonly SweepSegment?[] _segments;
    private readonly long _blockLength;

    /// <param name="context">The run.</param>
    /// <param name="plan">The tensor.</param>
    /// <param name="sweep">What is computed.</param>
    /// <param name="draws">See <see cref="Compute.ICompiler.Compile"/>.</param>
    /// <param name="work">What the job holds beside, before and after it.</param>
    public SweepPhase(
        RunContext context, TensorPlan plan, TensorSweep sweep, DrawMemory? draws = null, LowRank.WorkMemory work = default)
        : base(context, plan, [.. sweep.Inputs.Select(plan.Stored)], sweep.SegmentLength, !sweep.IsSample)
    {
        _context = context;
        _plan = plan;
        _sweep = sweep;
        _draws = draws;
        _segments = new SweepSegment?[Parts];
        _blockLength = BlockLength(context, plan, sweep);
        context.RequireMemory(
            plan,
            work.Why ?? (sweep.Unit == 1 ? "gathers statistics of this tensor" : $"looks at {sweep.Unit} elements of this tensor at once"),
            WorkerBytes(context, plan, sweep),
            work.With(sweep.SharedBytes));
        HeldBytes = work.With(sweep.HeldBytes);
    }

    public override long HeldBytes { get; }

    public override long WishedBytes => _draws?.WishedBytes ?? 0;

    public override void GrantWish() => _draws!.Allocate();

    /// <summary>Whether a sweep fits the budget.</summary>
    public static bool HasRoom(RunContext context, TensorPlan plan, TensorSweep sweep, LowRank.WorkMemory work = default) =>
        context.HasRoom(WorkerBytes(context, plan, sweep), work.With(sweep.SharedBytes));

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

    private static long BlockLength(RunContext context, TensorPlan plan, TensorSweep sweep) =>
        context.BlockLength(plan, sweep.Inputs.Select(plan.Stored), 0, sweep.Unit);

    private static long WorkerBytes(RunContext context, TensorPlan plan, TensorSweep sweep) =>
        (BlockLength(context, plan, sweep) * RunContext.ElementBytes(plan, sweep.Inputs.Select(plan.Stored), 0))
        + sweep.ScratchBytes + sweep.SegmentBytes;
}

using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Writes the value of an expression: read a block, decode, compute and encode in one kernel, write it.</summary>
internal sealed class ExpressionPhase : OutputPhase
{
    private readonly MergeContext _context;
    private readonly TensorPlan _plan;
    private readonly IKernel _kernel;
    private readonly DType[] _inputTypes;
    private readonly bool _hasMap;
    private readonly NewNonFinite _nonFinite = new();

    public ExpressionPhase(MergeContext context, TensorPlan plan, Recording recording, DrawMemory draws)
        : base(
            context,
            plan,
            [.. recording.Inputs.Select(plan.Stored)],
            context.BlockLength(plan, recording.Inputs.Select(plan.Stored), plan.OutType.Bits() / 8, recording.Unit))
    {
        _context = context;
        _plan = plan;
        _hasMap = recording.HasMap;
        _inputTypes = [.. recording.Inputs.Select(i => plan.Stored(i).DType)];
        _kernel = context.Compiler.Compile(recording, _inputTypes, [plan.OutType], plan.Info.Name, context.Seed, draws);
        var outputBytes = plan.OutType.Bits() / 8;
        context.RequireMemory(
            plan,
            recording.Unit == 1 ? "works on blocks" : $"works on {recording.Unit} elements of this tensor at once",
            (PartLength * RunContext.ElementBytes(plan, recording.Inputs.Select(plan.Stored), outputBytes)) + _kernel.ScratchBytes,
            0);
    }

    public override void Run(int part, Worker worker)
    {
        Span<nint> addresses = stackalloc nint[_inputTypes.Length];
        Span<nint> output = stackalloc nint[1];
        var start = part * PartLength;
        var count = (int)LengthOf(part);
        Read(part, start, count, worker, addresses);
        var bytes = worker.Output.Take(count * (_plan.OutType.Bits() / 8));
        output[0] = worker.Output.Address;
        try
        {
            _kernel.Run(start, count, addresses, output, worker.Workspace);
        }
        catch (Exception fault) when (_hasMap && fault is not MergeException)
        {
            throw StrategyCall.Threw(_context.Method, _plan.Info.Name, fault);
        }
        if (NonFinite.Any(_plan.OutType, bytes))
            _nonFinite.Note(part, HoldNonFinite(Enumerable.Range(0, addresses.Length), start, count, addresses));
        Write(part, bytes);
    }

    public override void Finish()
    {
        base.Finish();
        if (_nonFinite.Finding(_plan, PartLength) is { } finding)
            _context.Findings.Enqueue(finding);
    }
}

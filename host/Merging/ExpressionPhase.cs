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

    /// <summary>Index of the first part with a NaN or infinity that none of its inputs has; -1 if there is none.</summary>
    private int _firstNewNonFinite = -1;

    /// <summary>Whether an input has one somewhere: statistics may have carried it to other parts.</summary>
    private volatile bool _isInInputs;

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
        {
            if (AnyInputNonFinite(addresses, count))
                _isInInputs = true;
            else
                InterlockedMin(ref _firstNewNonFinite, part);
        }
        Write(part, bytes);
    }

    public override void Finish()
    {
        base.Finish();
        if (_firstNewNonFinite < 0 || _isInInputs)
            return;
        _context.Findings.Enqueue(new Diagnostic(
            $"the merge made a NaN or an infinity that is in no input, first in elements {_firstNewNonFinite * PartLength} "
            + $"to {(_firstNewNonFinite * PartLength) + LengthOf(_firstNewNonFinite) - 1}")
        {
            Severity = Severity.Warning,
            Where = _plan.Info.Name,
            Fix = _plan.OutType == DType.F16
                ? "float16 ends at 65504: write bfloat16 or float32 (out_dtype), or use smaller weights."
                : "Use smaller weights, or look at the inputs of this tensor.",
        });
    }

    private unsafe bool AnyInputNonFinite(ReadOnlySpan<nint> addresses, int count)
    {
        for (var slot = 0; slot < addresses.Length; slot++)
        {
            var bytes = new ReadOnlySpan<byte>((void*)addresses[slot], count * (_inputTypes[slot].Bits() / 8));
            if (NonFinite.Any(_inputTypes[slot], bytes))
                return true;
        }
        return false;
    }

    private static void InterlockedMin(ref int first, int part)
    {
        int seen;
        do
        {
            seen = Volatile.Read(ref first);
            if (seen >= 0 && seen <= part)
                return;
        }
        while (Interlocked.CompareExchange(ref first, part, seen) != seen);
    }
}

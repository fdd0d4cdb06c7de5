using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Writes one tensor of several candidates: read a block once, compute all outputs of it, write them.</summary>
internal sealed class GenerationPhase : Phase
{
    private readonly GenerationContext _context;
    private readonly TensorPlan _plan;
    private readonly GenerationOutput _output;
    private readonly DType[] _inputTypes;
    private readonly NewNonFinite[] _nonFinite;
    private readonly Lazy<int[]>[] _slots;
    private readonly uint[][] _checksums;

    public GenerationPhase(GenerationContext context, TensorPlan plan, GenerationOutput output)
        : base(context, plan, output.Inputs, output.PartLength)
    {
        (_context, _plan, _output) = (context, plan, output);
        _inputTypes = [.. output.Inputs.Select(i => i.DType)];
        _nonFinite = [.. output.Computed.Select(_ => new NewNonFinite())];
        _slots = [.. output.Computed.Select(o => new Lazy<int[]>(o.Slots))];
        _checksums = [.. output.Computed.Concat(output.Copied).Select(_ => new uint[Parts])];
        context.RequireMemory(plan, "works on blocks", output.WorkerBytes, 0);
    }

    public override void Run(int part, Worker worker)
    {
        Span<nint> addresses = stackalloc nint[_inputTypes.Length];
        var count = (int)LengthOf(part);
        Read(part, part * PartLength, count, worker, addresses);
        Compute(part, count, addresses, worker);
        for (var k = 0; k < _output.Copied.Count; k++)
        {
            var slot = _output.Copied[k].Slots()[0];
            Write(part, _output.Computed.Count + k, _output.Copied[k], Bytes(addresses[slot], _inputTypes[slot], count));
        }
    }

    public override void Finish()
    {
        base.Finish();
        foreach (var (k, output) in _output.Computed.Index())
        {
            if (_nonFinite[k].Finding(_plan, PartLength) is not { } finding)
                continue;
            foreach (var share in output.Shares)
                share.Find(finding);
        }
    }

    /// <summary>Tells all candidates that their tensor is written, after <see cref="Finish"/>.</summary>
    public void HandOver()
    {
        foreach (var (k, output) in _output.Computed.Concat(_output.Copied).Index())
        {
            var checksum = 0u;
            for (var part = 0; part < Parts; part++)
                checksum = Crc32C.Combine(checksum, _checksums[k][part], LengthOf(part) * _output.OutputBytes);
            foreach (var share in output.Shares)
                share.Finish(checksum);
        }
    }

    private void Compute(int part, int count, ReadOnlySpan<nint> addresses, Worker worker)
    {
        // Whole cache lines, so that every output begins where vectors are stored fastest.
        var stride = ((count * _output.OutputBytes) + 63) / 64 * 64;
        worker.Output.Take(checked(stride * _output.Computed.Count));
        var first = 0;
        foreach (var kernel in _output.Kernels)
        {
            Run(kernel, part, first, count, stride, addresses, worker);
            first += kernel.Outputs;
        }
    }

    private void Run(
        GenerationKernel kernel, int part, int first, int count, int stride, ReadOnlySpan<nint> addresses, Worker worker)
    {
        Span<nint> inputs = stackalloc nint[kernel.Slots.Length];
        for (var k = 0; k < inputs.Length; k++)
            inputs[k] = addresses[kernel.Slots[k]];
        Span<nint> outputs = stackalloc nint[kernel.Outputs];
        for (var k = 0; k < outputs.Length; k++)
            outputs[k] = worker.Output.Address + ((first + k) * stride);
        try
        {
            kernel.Kernel.Run(part * PartLength, count, inputs, outputs, worker.Workspace);
        }
        catch (Exception fault) when (kernel.HasMap && fault is not MergeException)
        {
            foreach (var share in _output.Computed[first].Shares)
                share.Fail(StrategyCall.Threw(_context.Method, _plan.Info.Name, fault));
            return;
        }
        for (var k = 0; k < outputs.Length; k++)
        {
            var bytes = Bytes(outputs[k], _plan.OutType, count);
            if (NonFinite.Any(_plan.OutType, bytes))
                _nonFinite[first + k].Note(part, HoldNonFinite(_slots[first + k].Value, part * PartLength, count, addresses));
            Write(part, first + k, _output.Computed[first + k], bytes);
        }
    }

    private void Write(int part, int number, GeneratedOutput output, ReadOnlySpan<byte> bytes)
    {
        _checksums[number][part] = Crc32C.Append(0, bytes);
        foreach (var share in output.Shares)
            share.Write(part * PartLength * _output.OutputBytes, bytes);
    }

    private static unsafe ReadOnlySpan<byte> Bytes(nint address, DType type, int count) =>
        new((void*)address, checked(count * (type.Bits() / 8)));
}

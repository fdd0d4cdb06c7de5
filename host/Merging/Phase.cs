using System.Runtime.InteropServices;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// One pass over a tensor's bytes, cut into parts that any worker may take in any order. Reading checksums the inputs
/// the first time they are read.
/// </summary>
internal abstract class Phase
{
    private readonly RunContext _context;
    private readonly IReadOnlyList<TensorSource> _inputs;
    private readonly uint[]?[] _checksums;
    private readonly SideShape?[] _sides;
    private int _taken;
    private int _finished;

    /// <param name="context">The run.</param>
    /// <param name="plan">The tensor.</param>
    /// <param name="inputs">The tensors it reads, one a slot.</param>
    /// <param name="partLength">Elements of a part (the last may be shorter).</param>
    /// <param name="readsAll">Whether it reads all bytes and so can checksum them.</param>
    protected Phase(
        RunContext context, TensorPlan plan, IReadOnlyList<TensorSource> inputs, long partLength, bool readsAll = true)
    {
        _context = context;
        _inputs = inputs;
        Tensor = plan;
        Count = plan.Info.Count;
        PartLength = partLength;
        Parts = checked((int)((Count + partLength - 1) / partLength));
        _sides = [.. inputs.Select(i => SideValues.ShapeOf(plan, i))];
        _checksums = [.. inputs.Select(i => readsAll && context.Checksums.Claim(i) ? new uint[Parts] : null)];
    }

    public int Parts { get; }

    /// <summary>Bytes held once, beside what every worker needs, until the job is done.</summary>
    public virtual long HeldBytes => 0;

    /// <summary>Bytes it could use beside those, until the job is done, to save work.</summary>
    public virtual long WishedBytes => 0;

    /// <summary>Gives it what it wished for; called, if at all, before its first part is taken.</summary>
    public virtual void GrantWish()
    {
    }

    /// <summary>Whether this is the first pass over one of the inputs.</summary>
    protected bool OwesChecksums => _checksums.Any(c => c is not null);

    protected TensorPlan Tensor { get; }

    protected long Count { get; }

    protected long PartLength { get; }

    /// <summary>Takes the next part; called under the scheduler's lock.</summary>
    public bool TryTake(out int part)
    {
        part = _taken;
        if (_taken == Parts)
            return false;
        _taken++;
        return true;
    }

    /// <summary>Whether this part was the last to finish; called under the scheduler's lock.</summary>
    public bool MarkFinished() => ++_finished == Parts;

    public abstract void Run(int part, Worker worker);

    /// <summary>Called once, by one thread, after every part has run.</summary>
    public virtual void Finish()
    {
        for (var slot = 0; slot < _inputs.Count; slot++)
        {
            if (_checksums[slot] is not { } parts)
                continue;
            var checksum = parts[0];
            for (var part = 1; part < Parts; part++)
                checksum = Crc32C.Combine(checksum, parts[part], Bytes(slot, LengthOf(part)));
            _context.Checksums.Set(_inputs[slot], checksum);
        }
    }

    protected long LengthOf(int part) => Math.Min(PartLength, Count - (part * PartLength));

    /// <summary>Reads every slot's bytes of [start, start+count), unless they are in memory, and gives their addresses.</summary>
    protected ReadOnlySpan<nint> Read(int part, long start, int count, Worker worker, Span<nint> addresses)
    {
        for (var slot = 0; slot < _inputs.Count; slot++)
        {
            var input = _inputs[slot];
            if (input is ResidentTensor resident)
            {
                addresses[slot] = resident.Address + (nint)Bytes(slot, start);
                continue;
            }
            var bytes = checked((int)Bytes(slot, count));
            var buffer = worker.Input(slot);
            var span = buffer.Take(bytes);
            input.Read(Bytes(slot, start), span);
            if (_checksums[slot] is { } checksums)
                checksums[part] = Crc32C.Append(checksums[part], span);
            if (_sides[slot] is { } shape)
                SideValues.Check(input, span, start, shape);
            addresses[slot] = buffer.Address;
            _context.Progress.Read(bytes);
        }
        return addresses;
    }

    /// <summary>Whether any of some inputs has a NaN or an infinity where a block was read; what putting an adapter into
    /// a model makes of finite numbers is none of theirs.</summary>
    protected bool HoldNonFinite(IEnumerable<int> slots, long start, int count, ReadOnlySpan<nint> addresses)
    {
        foreach (var slot in slots)
        {
            if (NonFinite.AnyOf([_inputs[slot].DType], [addresses[slot]], count)
                && !(Original(_inputs[slot]) is AdaptedTensor adapted && adapted.MakesNonFinite(start, count)))
                return true;
        }
        return false;

        static TensorSource Original(TensorSource input) => input is ResidentTensor resident ? resident.Source : input;
    }

    private long Bytes(int slot, long elements) => elements * (_inputs[slot].Length / Count);
}

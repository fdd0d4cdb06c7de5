using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>A pass that writes a tensor; knows the checksum of what was written once it has finished.</summary>
internal abstract class OutputPhase(MergeContext context, TensorPlan plan, IReadOnlyList<TensorSource> inputs, long partLength)
    : Phase(context, plan, inputs, partLength)
{
    private readonly long _elementBytes = plan.OutType.Bits() / 8;
    private readonly uint[] _written = new uint[(plan.Info.Count + partLength - 1) / partLength];

    /// <summary>CRC-32C of the tensor's output bytes, after <see cref="Finish"/>.</summary>
    public uint Checksum { get; private set; }

    protected void Write(int part, ReadOnlySpan<byte> bytes)
    {
        _written[part] = Crc32C.Append(0, bytes);
        context.Output.Write(Tensor.Info.Name, part * PartLength * _elementBytes, bytes);
        context.Progress.Wrote(bytes.Length);
    }

    public override void Finish()
    {
        base.Finish();
        for (var part = 0; part < Parts; part++)
            Checksum = Crc32C.Combine(Checksum, _written[part], LengthOf(part) * _elementBytes);
    }
}

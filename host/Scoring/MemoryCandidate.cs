using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>A candidate whose tensors lie in native memory, one after another.</summary>
internal sealed unsafe class MemoryCandidate : StoredCandidate, ITensorSink
{
    private readonly CandidateShape _shape;
    private readonly NativeBlock _memory;
    private readonly Action<NativeBlock> _giveBack;

    /// <param name="shape">Of its tensors.</param>
    /// <param name="memory">As long as they are.</param>
    /// <param name="giveBack">Takes the memory when nobody reads it any more.</param>
    public MemoryCandidate(string id, IReadOnlyDictionary<string, double> values, CandidateShape shape,
        NativeBlock memory, Action<NativeBlock> giveBack)
        : base(id, values) => (_shape, _memory, _giveBack) = (shape, memory, giveBack);

    public override IReadOnlyList<TensorInfo> Tensors => _shape.Tensors;

    public override ITensorSink Sink => this;

    public override string? Folder => null;

    public void Write(string tensor, long offset, ReadOnlySpan<byte> bytes)
    {
        var place = _shape[tensor];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, place.Length - bytes.Length);
        bytes.CopyTo(new(_memory.At(place.Offset + offset), bytes.Length));
    }

    public void Finish(TensorPlan tensor, uint checksum)
    {
    }

    protected override (DType Type, long Count)? Find(string tensor) => _shape.Find(tensor);

    protected override void ReadBytes(string tensor, long offset, Span<byte> into) =>
        new ReadOnlySpan<byte>(_memory.At(_shape[tensor].Offset + offset), into.Length).CopyTo(into);

    protected override void Free() => _giveBack(_memory);
}

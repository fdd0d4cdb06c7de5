using Merge.Checkpoints;

namespace Merge.Adapters;

/// <summary>A stored tensor under the name it has in the model.</summary>
internal sealed record RenamedTensor : TensorSource
{
    private readonly TensorSource _stored;

    public RenamedTensor(string name, TensorSource stored)
        : base(name, stored.DType, stored.Shape, stored.Length) => _stored = stored;

    public override IEnumerable<CheckpointFile> Files => _stored.Files;

    public override void Read(long start, Span<byte> into) => _stored.Read(start, into);
}

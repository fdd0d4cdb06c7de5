using System.Collections.Immutable;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>Zeros: the task vector of an adapter that leaves a module alone, and the base that task vectors stand on.</summary>
internal sealed record ZeroTensor(string Name, ImmutableArray<long> Shape)
    : TensorSource(Name, DType.F32, Shape, Shape.Aggregate(4L, (p, s) => p * s))
{
    public override IEnumerable<CheckpointFile> Files => [];

    public override long StoredBytes => 0;

    public override void Read(long start, Span<byte> into) => into.Clear();
}

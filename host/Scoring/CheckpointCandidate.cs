using Merge.Checkpoints;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>A checkpoint that is there already, to be scored as it is: an ingredient of a soup, a finished merge. It is
/// neither changed nor removed.</summary>
/// <param name="id">See <see cref="Candidate.Id"/>.</param>
/// <param name="checkpoint">The checkpoint.</param>
/// <param name="folder">What an evaluator that reads files is given; null where it reads none.</param>
internal sealed class CheckpointCandidate(string id, Checkpoint checkpoint, ModelCopy? folder)
    : StoredCandidate(id, new Dictionary<string, double>())
{
    public override IReadOnlyList<TensorInfo> Tensors { get; } =
        [.. checkpoint.Tensors.Values.Select(t => TensorNaming.Describe(t.Name, t.Shape))];

    public override ITensorSink? Sink => null;

    public override string? Folder => folder?.Path;

    protected override (DType Type, long Count)? Find(string tensor) =>
        checkpoint.Tensors.TryGetValue(tensor, out var stored)
            ? (stored.DType, stored.Shape.Aggregate(1L, (product, size) => product * size)) : null;

    protected override void ReadBytes(string tensor, long offset, Span<byte> into) =>
        checkpoint.Tensors[tensor].Read(offset, into);

    // The checkpoint stays with whoever opened it.
    protected override void Free() => folder?.Dispose();
}

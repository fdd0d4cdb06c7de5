using Merge.Checkpoints;
using Merge.Merging;
using Merge.Merging.LowRank;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>A candidate that is an adapter's folder: its config and its factors, which are the tensors it has.</summary>
/// <param name="id">See <see cref="Candidate.Id"/>.</param>
/// <param name="values">See <see cref="Candidate.Values"/>.</param>
/// <param name="folder">Does not exist yet.</param>
internal sealed class AdapterCandidate(string id, IReadOnlyDictionary<string, double> values, string folder)
    : StoredCandidate(id, values)
{
    // Opened once it is merged, which is before it is scored.
    private readonly Lazy<Checkpoint> _factors = new(() => Checkpoint.Open(new AdapterPlace(folder).Factors));

    public override IReadOnlyList<TensorInfo> Tensors =>
        [.. _factors.Value.Tensors.Values.Select(t => TensorNaming.Describe(t.Name, t.Shape))];

    public override ITensorSink Sink { get; } = new AdapterPlace(folder);

    public override string Folder => folder;

    protected override (DType Type, long Count)? Find(string tensor) =>
        _factors.Value.Tensors.TryGetValue(tensor, out var stored)
            ? (stored.DType, stored.Shape.Aggregate(1L, (product, size) => product * size)) : null;

    protected override void ReadBytes(string tensor, long offset, Span<byte> into) =>
        _factors.Value.Tensors[tensor].Read(offset, into);

    protected override void Free()
    {
        if (_factors.IsValueCreated)
            _factors.Value.Dispose();
        if (Directory.Exists(folder))
            OwnFolder.Remove(folder);
    }
}

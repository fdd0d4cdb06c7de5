using Merge.Planning;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>What all candidates of a plan have in common: their tensors, and where each lies in one block of
/// memory.</summary>
internal sealed class CandidateShape
{
    private readonly Dictionary<string, TensorPlace> _places = new(StringComparer.Ordinal);

    public CandidateShape(MergePlan plan)
    {
        Tensors = [.. plan.Tensors.Select(t => t.Info)];
        foreach (var tensor in plan.Tensors)
        {
            var length = tensor.Info.Count * tensor.OutType.Bits() / 8;
            _places.Add(tensor.Info.Name, new(Bytes, length, tensor.OutType, tensor.Info.Count));
            Bytes += length;
        }
    }

    public IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>All tensors together.</summary>
    public long Bytes { get; }

    public TensorPlace this[string tensor] => _places[tensor];

    public (DType Type, long Count)? Find(string tensor) =>
        _places.TryGetValue(tensor, out var place) ? (place.Type, place.Count) : null;
}

/// <param name="Offset">Of its first byte in the block.</param>
/// <param name="Length">Bytes.</param>
internal readonly record struct TensorPlace(long Offset, long Length, DType Type, long Count);

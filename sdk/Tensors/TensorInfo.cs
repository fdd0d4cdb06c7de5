using System.Collections.Immutable;

namespace Merge.Sdk;

/// <summary>What is known of a tensor before any of its bytes are read.</summary>
/// <param name="Name">Its name in the checkpoint, for example <c>model.layers.3.mlp.up_proj.weight</c>.</param>
/// <param name="Shape">Sizes, outermost first; empty for a 0-dim tensor.</param>
/// <param name="Kind">Its part in the model.</param>
/// <param name="Layer">Its layer number, or null outside numbered layers.</param>
public sealed record TensorInfo(string Name, ImmutableArray<long> Shape, TensorKind Kind, int? Layer)
{
    /// <summary>Number of elements: the product of the shape, 1 for a 0-dim tensor.</summary>
    public long Count { get; } = Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Number of dimensions.</summary>
    public int Rank => Shape.Length;

    /// <summary>Length of a vector along the last axis; 1 for a 0-dim tensor.</summary>
    public long RowLength => Shape.IsEmpty ? 1 : Shape[^1];

    /// <summary>Number of vectors along the last axis; 1 for 0-dim and 1-D tensors.</summary>
    public long RowCount => RowLength == 0 ? 0 : Count / RowLength;

    /// <summary>Two infos are equal when all four parts are, the shape by its sizes.</summary>
    public bool Equals(TensorInfo? other) => other is not null && Name == other.Name && Kind == other.Kind
        && Layer == other.Layer && Shape.AsSpan().SequenceEqual(other.Shape.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Shape.Length, Count);
}

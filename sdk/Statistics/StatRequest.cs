namespace Merge.Sdk;

/// <summary>A pending statistic of one tensor: what the host computes in a sweep.</summary>
internal abstract record StatRequest;

internal abstract record StatRequest<T> : StatRequest
{
    public Stat<T> Stat { get; } = new();
}

internal sealed record SumRequest(Node Value) : StatRequest<double>;

internal sealed record DotRequest(Node A, Node B) : StatRequest<double>;

internal sealed record CountRequest(Node Mask) : StatRequest<long>;

internal sealed record RangeRequest(Node Value) : StatRequest<ValueRange>;

internal sealed record GramRequest(IReadOnlyList<Node> Values) : StatRequest<Matrix>;

internal sealed record LargestRequest(Node Score, long Keep) : StatRequest<Cut>;

internal sealed record OrderRequest(Node Score, IReadOnlyList<long> Ranks) : StatRequest<float[]>;

internal sealed record RowSumsRequest(Node Value) : StatRequest<double[]>;

internal sealed record ColumnSumsRequest(Node Value) : StatRequest<double[]>;

internal sealed record ProductRequest(Node Value, Matrix Right) : StatRequest<Matrix>;

internal sealed record TransposedProductRequest(Node Value, Matrix Left) : StatRequest<Matrix>;

internal sealed record MaterializeRequest(Node Value) : StatRequest<Matrix>;

internal sealed record SideMatrixRequest(string Name, int Model) : StatRequest<Matrix>;

/// <summary>A pending statistic over all tensors of a model.</summary>
internal abstract record ModelRequest;

/// <summary>The largest scores of the whole model; tensors are ordered as in the list.</summary>
internal sealed record ModelLargestRequest(IReadOnlyList<(TensorScan Tensor, Node Score)> Scores, long Keep) : ModelRequest
{
    public Stat<ModelCut> Stat { get; } = new();
}

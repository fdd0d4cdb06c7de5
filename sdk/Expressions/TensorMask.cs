namespace Merge.Sdk;

/// <summary>Yes or no for every element of a tensor: a node of a recorded expression.</summary>
public sealed class TensorMask
{
    internal TensorMask(Node node) => Node = node;

    internal Node Node { get; }

    /// <summary>Set in both.</summary>
    public static TensorMask operator &(TensorMask a, TensorMask b) => new(Node.Of(Op.And, a.Node, b.Node));

    /// <summary>Set in either.</summary>
    public static TensorMask operator |(TensorMask a, TensorMask b) => new(Node.Of(Op.Or, a.Node, b.Node));

    /// <summary>Not set.</summary>
    public static TensorMask operator !(TensorMask a) => new(Node.Of(Op.Not, a.Node));

    /// <summary><paramref name="set"/> where the mask is set, <paramref name="unset"/> elsewhere.</summary>
    public TensorExpr Select(TensorExpr set, TensorExpr unset) => new(Node.Of(Op.Where, Node, set.Node, unset.Node));

    /// <summary>1 where set, 0 elsewhere.</summary>
    public TensorExpr AsNumber() => Select(1f, 0f);
}

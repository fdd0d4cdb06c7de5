namespace Merge.Sdk;

/// <summary>
/// A float32 value for every element of a tensor: a node of a recorded expression, not data. All arithmetic is IEEE
/// float32, rounded after every operation (nothing is contracted or reordered), so results do not depend on device,
/// vector width, threads or block size.
/// </summary>
public sealed class TensorExpr
{
    internal TensorExpr(Node node) => Node = node;

    internal Node Node { get; }

    /// <summary>The same number everywhere.</summary>
    public static implicit operator TensorExpr(float value) => new(Node.Constant(value));

    /// <summary>The same number everywhere, rounded to float32.</summary>
    public static implicit operator TensorExpr(double value) => new(Node.Constant((float)value));

    /// <summary>Sum of two values.</summary>
    public static TensorExpr operator +(TensorExpr a, TensorExpr b) => Record(Op.Add, a, b);

    /// <summary>Difference of two values.</summary>
    public static TensorExpr operator -(TensorExpr a, TensorExpr b) => Record(Op.Subtract, a, b);

    /// <summary>Product of two values.</summary>
    public static TensorExpr operator *(TensorExpr a, TensorExpr b) => Record(Op.Multiply, a, b);

    /// <summary>Quotient of two values, correctly rounded.</summary>
    public static TensorExpr operator /(TensorExpr a, TensorExpr b) => Record(Op.Divide, a, b);

    /// <summary>The value with its sign turned.</summary>
    public static TensorExpr operator -(TensorExpr a) => Record(Op.Negate, a);

    /// <summary>Where a &gt; b; false where either is NaN.</summary>
    public static TensorMask operator >(TensorExpr a, TensorExpr b) => Compare(Op.Greater, a, b);

    /// <summary>Where a ≥ b; false where either is NaN.</summary>
    public static TensorMask operator >=(TensorExpr a, TensorExpr b) => Compare(Op.GreaterOrEqual, a, b);

    /// <summary>Where a &lt; b; false where either is NaN.</summary>
    public static TensorMask operator <(TensorExpr a, TensorExpr b) => Compare(Op.Less, a, b);

    /// <summary>Where a ≤ b; false where either is NaN.</summary>
    public static TensorMask operator <=(TensorExpr a, TensorExpr b) => Compare(Op.LessOrEqual, a, b);

    /// <summary>Where both are equal; false where either is NaN. (Not <c>==</c>: two expressions are objects.)</summary>
    public TensorMask EqualTo(TensorExpr other) => Compare(Op.Equal, this, other);

    /// <summary>|x|.</summary>
    public TensorExpr Abs() => Record(Op.Abs, this);

    /// <summary>√x, correctly rounded; NaN below zero.</summary>
    public TensorExpr Sqrt() => Record(Op.Sqrt, this);

    /// <summary>eˣ within 2 units in the last place, the same bits on every device.</summary>
    public TensorExpr Exp() => Record(Op.Exp, this);

    /// <summary>ln x within 2 units in the last place, the same bits on every device; -inf at 0, NaN below.</summary>
    public TensorExpr Log() => Record(Op.Log, this);

    /// <summary>-1, 0 or 1; NaN for NaN.</summary>
    public TensorExpr Sign() => Record(Op.Sign, this);

    /// <summary>
    /// xʸ for x ≥ 0 (NaN below): 0⁰ and x⁰ are 1; y of 0.5 and 1 are exactly √x and x; else within 16 units in the last
    /// place, the same bits on every device.
    /// </summary>
    public TensorExpr Pow(TensorExpr exponent) => Record(Op.Pow, this, exponent);

    /// <summary>The smaller of the two (IEEE 754 minimum: NaN where either is, -0 below +0).</summary>
    public static TensorExpr Min(TensorExpr a, TensorExpr b) => Record(Op.Min, a, b);

    /// <summary>The larger of the two (IEEE 754 maximum: NaN where either is, +0 above -0).</summary>
    public static TensorExpr Max(TensorExpr a, TensorExpr b) => Record(Op.Max, a, b);

    /// <summary>The value held within [low, high].</summary>
    public TensorExpr Clamp(TensorExpr low, TensorExpr high) => Min(Max(this, low), high);

    /// <summary>this·factor + addend with a single rounding.</summary>
    public TensorExpr MultiplyAdd(TensorExpr factor, TensorExpr addend) =>
        Record(Op.FusedMultiplyAdd, this, factor, addend);

    /// <summary>The value where the mask is set, 0 elsewhere.</summary>
    public TensorExpr Masked(TensorMask mask) => mask.Select(this, 0f);

    /// <summary>
    /// Taking this as a score: where it is among the largest that <paramref name="cut"/> counted. Exactly as many
    /// elements are kept as were asked for, however many tie: of equal scores those with the lower index stay. The
    /// score must be the expression the cut was computed from.
    /// </summary>
    public TensorMask KeptBy(Cut cut) => Node.Scope is { } tensor
        ? new(new Node(tensor, Op.KeptBy, Node) { Data = cut })
        : throw MergeException.Plugin("KeptBy is applied to a constant", expected: "the score that the cut was computed from");

    /// <summary>
    /// Sum along an axis, in float64, rounded once; repeated along that axis. <paramref name="axis"/> counts from 0,
    /// or from the end when negative (-1: within a row).
    /// </summary>
    public TensorExpr SumAlong(int axis = -1) => Along(Op.SumAlong, axis, Node);

    /// <summary>Largest value along an axis (NaN where any is); repeated along that axis.</summary>
    public TensorExpr MaxAlong(int axis = -1) => Along(Op.MaxAlong, axis, Node);

    /// <summary>Σ this·other along an axis, in float64, rounded once; repeated along that axis.</summary>
    public TensorExpr DotAlong(TensorExpr other, int axis = -1) => Along(Op.DotAlong, axis, Node, other.Node);

    /// <summary>
    /// Rank along an axis, ascending from 0: how many are smaller, or equal with a lower index. NaN ranks last.
    /// </summary>
    public TensorExpr RankAlong(int axis = -1) => Along(Op.RankAlong, axis, Node);

    private static TensorExpr Record(Op op, TensorExpr a) => new(Node.Of(op, a.Node));

    private static TensorExpr Record(Op op, TensorExpr a, TensorExpr b) => new(Node.Of(op, a.Node, b.Node));

    private static TensorExpr Record(Op op, TensorExpr a, TensorExpr b, TensorExpr c) =>
        new(Node.Of(op, a.Node, b.Node, c.Node));

    private static TensorMask Compare(Op op, TensorExpr a, TensorExpr b) => new(Node.Of(op, a.Node, b.Node));

    private static TensorExpr Along(Op op, int axis, params ReadOnlySpan<Node> args)
    {
        if (Node.ScopeOf(args) is not TensorScan tensor)
        {
            throw MergeException.Plugin(
                $"{op} is applied to a constant",
                expected: "an expression of the block's tensors");
        }
        var rank = Math.Max(tensor.Info.Rank, 1);
        if (axis < -rank || axis >= rank)
        {
            throw MergeException.Plugin(
                $"{op} is asked for along axis {axis} of a tensor with {rank} axes",
                expected: $"an axis from {-rank} to {rank - 1}",
                where: tensor.Info.Name);
        }
        return new(new Node(tensor, op, args.ToArray()) { Axis = axis < 0 ? axis + rank : axis });
    }
}

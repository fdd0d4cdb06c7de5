namespace Merge.Sdk;

/// <summary>
/// One tensor to be merged, and the statistics that can be asked of it. Asking costs nothing; at the next await all
/// that is pending is computed together, in one sweep over the bytes. Sums are float64 in a fixed order: they do not
/// depend on device, threads or block size.
/// </summary>
public sealed class TensorScan
{
    private readonly Func<string, int, bool> _hasSide;
    private readonly Func<int, int?> _knownRank;
    private readonly Block _block;

    internal TensorScan(
        TensorInfo info, int models, bool hasBase, Func<string, int, bool> hasSide, ILinearAlgebra linearAlgebra,
        Func<int, int?>? knownRank = null)
    {
        Info = info;
        ModelCount = models;
        HasBase = hasBase;
        _hasSide = hasSide;
        LinearAlgebra = linearAlgebra;
        _knownRank = knownRank ?? (_ => null);
        _block = new Block(this);
    }

    /// <summary>Name, shape, kind, layer.</summary>
    public TensorInfo Info { get; }

    /// <summary>How many models there are, the base not counted.</summary>
    public int ModelCount { get; }

    /// <summary>Whether there is a base.</summary>
    public bool HasBase { get; }

    /// <summary>Decompositions of small matrices.</summary>
    public ILinearAlgebra LinearAlgebra { get; }

    internal List<StatRequest> Pending { get; } = [];

    /// <summary>Whether a model has side input <paramref name="name"/> for this tensor.</summary>
    public bool HasSide(string name, int model) => _hasSide(name, model);

    /// <summary>The most a model's task vector can have as its rank, where that is known to be little: an adapter's r, 0 for
    /// one that leaves the tensor alone. Null for whole models.</summary>
    public int? KnownRank(int model) => _knownRank(model);

    /// <summary>One statistic a model, awaited together: the values come in the order of the models.</summary>
    public Stat<T[]> EachModel<T>(Func<int, Stat<T>> statistic) =>
        Stat.All(Enumerable.Range(0, ModelCount).Select(statistic));

    /// <summary>Σ of all elements, float64.</summary>
    public Stat<double> Sum(Func<Block, TensorExpr> value) => Ask(new SumRequest(Record(value))).Stat;

    /// <summary>Σ a·b over all elements; products and sum in float64.</summary>
    public Stat<double> Dot(Func<Block, TensorExpr> a, Func<Block, TensorExpr> b) =>
        Ask(new DotRequest(Record(a), Record(b))).Stat;

    /// <summary>How many elements are set.</summary>
    public Stat<long> Count(Func<Block, TensorMask> mask) => Ask(new CountRequest(Own(mask(_block).Node))).Stat;

    /// <summary>Smallest and largest element.</summary>
    public Stat<ValueRange> Range(Func<Block, TensorExpr> value) => Ask(new RangeRequest(Record(value))).Stat;

    /// <summary>The Gram matrix of K values: K×K, entry (i, j) = Σ a_i·a_j.</summary>
    public Stat<Matrix> Gram(Func<Block, IReadOnlyList<TensorExpr>> values) =>
        Ask(new GramRequest([.. values(_block).Select(v => Own(v.Node))])).Stat;

    /// <summary>
    /// The cut that keeps exactly the <paramref name="keep"/> largest scores (all for more than there are, none
    /// for 0). Apply it with <see cref="TensorExpr.KeptBy"/> to the same score.
    /// </summary>
    public Stat<Cut> Largest(Func<Block, TensorExpr> score, long keep) => keep >= 0
        ? Ask(new LargestRequest(Record(score), keep)).Stat
        : throw MergeException.Plugin($"the {keep} largest are asked for", expected: "0 or more", where: Info.Name);

    /// <summary>The values at some ranks of the ascending order; rank 0 is the smallest. NaN is above all.</summary>
    /// <param name="score">The values to order.</param>
    /// <param name="ranks">Each from 0 to one less than the number of elements.</param>
    public Stat<float[]> OrderStatistics(Func<Block, TensorExpr> score, params IReadOnlyList<long> ranks)
    {
        foreach (var rank in ranks)
        {
            if (rank < 0 || rank >= Info.Count)
            {
                throw MergeException.Plugin(
                    $"order statistic {rank} is asked for", expected: $"0 to {Info.Count - 1}", where: Info.Name);
            }
        }
        return Ask(new OrderRequest(Record(score), [.. ranks])).Stat;
    }

    /// <summary>Σ along the last axis: one number a row, float64.</summary>
    public Stat<double[]> RowSums(Func<Block, TensorExpr> value) => Ask(new RowSumsRequest(Record(value))).Stat;

    /// <summary>Σ over all rows: one number a position along the last axis, float64.</summary>
    public Stat<double[]> ColumnSums(Func<Block, TensorExpr> value) => Ask(new ColumnSumsRequest(Record(value))).Stat;

    /// <summary>
    /// The whole value as a matrix of <see cref="TensorInfo.RowCount"/> × <see cref="TensorInfo.RowLength"/>, in
    /// memory: 8 bytes an element, counted against the budget.
    /// </summary>
    public Stat<Matrix> Materialize(Func<Block, TensorExpr> value) => Ask(new MaterializeRequest(Record(value))).Stat;

    /// <summary>
    /// A side input of <see cref="SideShape.InputGram"/>, exactly symmetric, in memory: 8 bytes an element, counted against
    /// the budget. Not in a survey. <see cref="HasSide"/> says whether there is one.
    /// </summary>
    /// <param name="name">As in <see cref="SideInputAttribute"/>.</param>
    /// <param name="model">The model's index.</param>
    public Stat<Matrix> SideMatrix(string name, int model) => HasSide(name, model)
        ? Ask(new SideMatrixRequest(name, model)).Stat
        : throw MergeException.Plugin(
            $"the strategy asks for side matrix '{name}' of model {model}, which is not there",
            where: Info.Name,
            fix: "Ask TensorScan.HasSide first.");

    /// <summary>
    /// X·R in float64: m×n times n×l, m rows of n as <see cref="Materialize"/> has them, without the m×n matrix in
    /// memory. With <see cref="TransposedProduct"/> what randomised decompositions of large tensors are made of.
    /// </summary>
    /// <param name="value">X.</param>
    /// <param name="right">R, n×l.</param>
    public Stat<Matrix> Product(Func<Block, TensorExpr> value, Matrix right) =>
        right.Rows == Info.RowLength
            ? Ask(new ProductRequest(Record(value), right)).Stat
            : throw Misfit("right", right, $"{Info.RowLength} rows, the tensor's row length");

    /// <summary>Xᵀ·L in float64: n×m times m×l, without the m×n matrix in memory.</summary>
    /// <param name="value">X, m rows of n.</param>
    /// <param name="left">L, m×l.</param>
    public Stat<Matrix> TransposedProduct(Func<Block, TensorExpr> value, Matrix left) =>
        left.Rows == Info.RowCount
            ? Ask(new TransposedProductRequest(Record(value), left)).Stat
            : throw Misfit("left", left, $"{Info.RowCount} rows, as many as the tensor");

    private MergeException Misfit(string factor, Matrix matrix, string expected) => MergeException.Plugin(
        $"the {factor} factor of a product is {matrix.Rows}×{matrix.Columns}", expected, Info.Name);

    /// <summary>Records an expression of this tensor.</summary>
    internal Node Record(Func<Block, TensorExpr> value) => Own(value(_block).Node);

    private Node Own(Node node) => node.Scope is null || ReferenceEquals(node.Scope, this)
        ? node
        : throw MergeException.Plugin(
            "an expression of another tensor is used",
            expected: "one made from the block that the lambda is given",
            where: Info.Name,
            fix: "Carry numbers, not expressions, between tensors.");

    private T Ask<T>(T request)
        where T : StatRequest
    {
        Pending.Add(request);
        return request;
    }
}

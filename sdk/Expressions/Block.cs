namespace Merge.Sdk;

/// <summary>The values an expression starts from: the tensor at hand in the base, in every model, in side inputs.</summary>
public sealed class Block
{
    private readonly TensorScan _tensor;
    private TensorExpr[]? _deltas;

    internal Block(TensorScan tensor)
    {
        _tensor = tensor;
        Models = [.. Enumerable.Range(0, tensor.ModelCount).Select(i => Input(null, i))];
    }

    /// <summary>θ_0: the base model's value.</summary>
    public TensorExpr Base => _tensor.HasBase
        ? Input(null, -1)
        : throw MergeException.Plugin(
            "the strategy uses the base, and this merge has none",
            where: _tensor.Info.Name,
            fix: "Declare Base: InputRole.Required, or ask TensorScan.HasBase first.");

    /// <summary>θ_i: the models' values, in the order of the recipe, the base not among them.</summary>
    public IReadOnlyList<TensorExpr> Models { get; }

    /// <summary>Δ_i = θ_i − θ_0: the task vectors.</summary>
    public IReadOnlyList<TensorExpr> Deltas => _deltas ??= [.. Models.Select(m => m - Base)];

    /// <summary>
    /// A side input's value for a model. <see cref="TensorScan.HasSide"/> says whether there is one.
    /// </summary>
    /// <param name="name">As in <see cref="SideInputAttribute"/>.</param>
    /// <param name="model">The model's index.</param>
    public TensorExpr Side(string name, int model) => _tensor.HasSide(name, model)
        ? Input(name, model)
        : throw MergeException.Plugin(
            $"the strategy uses side input '{name}' of model {model}, which is not there",
            where: _tensor.Info.Name,
            fix: "Ask TensorScan.HasSide first.");

    /// <summary>One number a row (vector along the last axis), repeated along it.</summary>
    /// <param name="values">As many as <see cref="TensorInfo.RowCount"/>.</param>
    public TensorExpr Rows(IReadOnlyList<double> values) =>
        Vector(Op.RowVector, "rows", values, _tensor.Info.RowCount);

    /// <summary>One number a position along the last axis, repeated for every row.</summary>
    /// <param name="values">As many as <see cref="TensorInfo.RowLength"/>.</param>
    public TensorExpr Columns(IReadOnlyList<double> values) =>
        Vector(Op.ColumnVector, "columns", values, _tensor.Info.RowLength);

    /// <summary>A matrix put back: its element at this place. For 2-D tensors of its shape.</summary>
    public TensorExpr View(Matrix matrix)
    {
        var (rows, columns) = (_tensor.Info.RowCount, _tensor.Info.RowLength);
        return matrix.Rows == rows && matrix.Columns == columns
            ? new(new Node(_tensor, Op.MatrixView) { Data = matrix })
            : throw MergeException.Plugin(
                $"View is given a {matrix.Rows}×{matrix.Columns} matrix",
                expected: $"{rows}×{columns}{Shape}",
                where: _tensor.Info.Name,
                fix: "Put back what Materialize of this tensor gave, or what has its rows and columns.");
    }

    /// <summary>
    /// A number in [0, 1) with 24 random bits, fixed by the recipe's seed, the tensor's name, the stream and the
    /// element's index (Philox 4x32-10): asked twice, it is the same.
    /// </summary>
    /// <param name="stream">Different streams are independent; take the model's index for a draw a model.</param>
    public TensorExpr Uniform(int stream) => new(new Node(_tensor, Op.Uniform) { Stream = stream });

    /// <summary>
    /// The way out for an author's own loop. It runs on the CPU whatever the device, and the plan says so.
    /// </summary>
    public TensorExpr Map(IReadOnlyList<TensorExpr> inputs, SpanKernel kernel)
    {
        var args = inputs.Select(i => i.Node).ToArray();
        Node.ScopeOf(args);
        return new(new Node(_tensor, Op.Map, args) { Data = new MapCall(kernel) });
    }

    internal TensorExpr LowRank(Matrix b, Matrix a)
    {
        var (rows, columns) = (_tensor.Info.RowCount, _tensor.Info.RowLength);
        return b.Rows == rows && a.Columns == columns && b.Columns == a.Rows
            ? new(new Node(_tensor, Op.LowRank) { Data = (b, a) })
            : throw MergeException.Plugin(
                $"LowRank is given {b.Rows}×{b.Columns} · {a.Rows}×{a.Columns}",
                expected: $"{rows}×r · r×{columns}{Shape}",
                where: _tensor.Info.Name,
                fix: _tensor.Info.Rank == 2
                    ? "LowRank(b, a) takes b with the tensor's rows and a with its columns: of an SVD U·diag(σ) and Vᵀ, which is "
                        + "how Svd gives it."
                    : "LowRank is for 2-D tensors: where Info.Rank is not 2, return another merge, CombineDeltas for example.");
    }

    private string Shape => $" for a tensor of shape [{string.Join(", ", _tensor.Info.Shape)}]";

    private TensorExpr Input(string? side, int model) =>
        new(new Node(_tensor, Op.Input) { Input = new InputKey(side, model) });

    private TensorExpr Vector(Op op, string what, IReadOnlyList<double> values, long expected)
    {
        if (values.Count != expected)
        {
            throw MergeException.Plugin(
                $"{values.Count} values are given for the {what}",
                expected: $"{expected}",
                where: _tensor.Info.Name);
        }
        return new(new Node(_tensor, op) { Data = values.Select(v => (float)v).ToArray() });
    }
}

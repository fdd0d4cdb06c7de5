using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>
/// v_i of one tensor: Adam's <c>exp_avg_sq</c>, or any diagonal importance, as stored or approximated. Statistics are
/// asked for when it is made; its values can be used once both awaits are done.
/// </summary>
internal sealed class SecondMoments
{
    /// <summary>The side input's name.</summary>
    public const string Side = "second_moment";

    /// <summary>What names in a file of them may carry behind the parameter's.</summary>
    public const string Suffix = ".exp_avg_sq";

    private readonly TensorScan _tensor;
    private readonly int[] _summed;
    private readonly int[] _decomposed;
    private readonly Dictionary<int, (double[] Rows, double[] Columns)> _rank1 = [];
    private readonly Dictionary<int, Matrix> _rankR = [];

    /// <summary>Asks for what the approximations need; nothing where v is used as it is stored.</summary>
    public SecondMoments(TensorScan tensor, GraftOptions options)
    {
        _tensor = tensor;
        int[] stored = tensor.Info.Rank == 2
            ? [.. Enumerable.Range(0, tensor.ModelCount).Where(i => tensor.HasSide(Side, i))]
            : [];
        _summed = [.. stored.Where(i => options.Rank1Approx[i])];
        var hasTokens = tensor.Info.Kind is TensorKind.Embedding or TensorKind.Head;
        var full = Math.Min(tensor.Info.RowCount, tensor.Info.RowLength);
        _decomposed = hasTokens ? [] : [.. stored.Except(_summed).Where(i => options.Rank[i] < full)];
        Sums = Stat.All(_summed.SelectMany(i => new[]
        {
            tensor.RowSums(b => b.Side(Side, i)),
            tensor.ColumnSums(b => b.Side(Side, i)),
        }));
        Matrices = Stat.All(_decomposed.Select(i => tensor.Materialize(b => b.Side(Side, i))));
    }

    /// <summary>To be awaited first.</summary>
    public Stat<double[][]> Sums { get; }

    /// <summary>To be awaited second; computed in the same sweep.</summary>
    public Stat<Matrix[]> Matrices { get; }

    /// <summary>Makes the approximations of what was asked for.</summary>
    /// <param name="sums">Of <see cref="Sums"/>.</param>
    /// <param name="matrices">Of <see cref="Matrices"/>.</param>
    /// <param name="options">The same as before.</param>
    public SecondMoments Approximated(double[][] sums, Matrix[] matrices, GraftOptions options)
    {
        foreach (var (k, i) in _summed.Index())
        {
            var (rows, columns) = (sums[2 * k], sums[(2 * k) + 1]);
            var total = rows.Sum();
            // row·(column/Σ): (row·column)/Σ underflows in float32.
            _rank1[i] = (rows, [.. columns.Select(c => total == 0 ? 0 : c / total)]);
        }
        foreach (var (k, i) in _decomposed.Index())
            _rankR[i] = Truncated(matrices[k], options.Rank[i]!.Value);
        return this;
    }

    /// <summary>Whether a model has any for this tensor.</summary>
    public bool Has(int model) => _tensor.HasSide(Side, model);

    /// <summary>v_i, never negative.</summary>
    public TensorExpr Of(Block b, int model) =>
        _rank1.TryGetValue(model, out var sums) ? b.Rows(sums.Rows) * b.Columns(sums.Columns)
        : _rankR.TryGetValue(model, out var matrix) ? TensorExpr.Max(b.View(matrix), 0f)
        : b.Side(Side, model);

    private Matrix Truncated(Matrix v, int rank)
    {
        var svd = _tensor.LinearAlgebra.Svd(v);
        return _tensor.LinearAlgebra.Multiply(svd.U[.., ..rank].ScaleColumns(svd.Sigma[..rank]), svd.Vt[..rank, ..]);
    }
}

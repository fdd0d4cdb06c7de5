using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>
/// Norms of Δ_i and of M_i Δ_i by the tensor's part: RMS→RMS (2-D: the largest σ), L1→RMS (embeddings and output head: the
/// largest column), RMS (1-D), none of other ranks. Factors of the shape are left out: only ratios are used.
/// </summary>
internal sealed class OperatorNorm
{
    private const int PowerIterations = 10;

    private readonly TensorScan _tensor;
    private readonly Mask?[] _masks;
    private readonly int[] _models;
    private readonly bool _isSpectral;
    private readonly bool _isColumnwise;
    private readonly double[] _norms;
    private readonly double[][] _vectors;
    private readonly int _rounds;
    private int _round;

    /// <summary>Asks for the matrices of exact spectral norms; nothing else is asked for yet.</summary>
    public OperatorNorm(TensorScan tensor, Mask?[] masks, bool approximate)
    {
        (_tensor, _masks) = (tensor, masks);
        _models = tensor.Info.Rank is 1 or 2 ? [.. Enumerable.Range(0, masks.Length).Where(i => masks[i] is not null)] : [];
        _isColumnwise = tensor.Info.Rank == 2;
        _isSpectral = _isColumnwise && tensor.Info.Kind is not (TensorKind.Embedding or TensorKind.Head);
        _norms = new double[2 * _models.Length];
        _vectors = new double[2 * _models.Length][];
        var isExact = _isSpectral && !approximate;
        Matrices = Stat.All(isExact ? Each(Value, tensor.Materialize) : []);

        // A start, then u = Wv and v = Wᵀu by turns, and the length of a last Wv.
        _rounds = _models.Length == 0 || isExact ? 0 : _isSpectral ? (2 * PowerIterations) + 2 : 1;
    }

    /// <summary>To be awaited first.</summary>
    public Stat<Matrix[]> Matrices { get; }

    /// <summary>Whether there is another sweep to ask for.</summary>
    public bool AreWanted => _round < _rounds;

    /// <summary>Exact spectral norms.</summary>
    public void Decompose(Matrix[] matrices)
    {
        foreach (var (k, matrix) in matrices.Index())
            _norms[k] = _tensor.LinearAlgebra.Svd(matrix).Sigma[0];
    }

    /// <summary>Asks for the sums of the next sweep.</summary>
    public Stat<double[][]> AskNext() => Stat.All((_isSpectral, _isColumnwise, _round % 2) switch
    {
        (false, false, _) => Each(Square, _tensor.RowSums),
        (false, true, _) => Each(Square, _tensor.ColumnSums),
        (true, _, 0) when _round == 0 => Each((b, k) => Value(b, k) * (b.Uniform(Model(k)) - 0.5f), _tensor.ColumnSums),
        (true, _, 0) => Each((b, k) => Value(b, k) * b.Rows(_vectors[k]), _tensor.ColumnSums),
        _ => Each((b, k) => Value(b, k) * b.Columns(_vectors[k]), _tensor.RowSums),
    });

    /// <summary>Takes the sums of a sweep.</summary>
    public void Take(double[][] sums)
    {
        foreach (var (k, sum) in sums.Index())
        {
            var length = Math.Sqrt(sum.Sum(x => x * x));
            _norms[k] = _isSpectral ? length : Math.Sqrt(sum.Max());
            _vectors[k] = length == 0 ? sum : [.. sum.Select(x => x / length)];
        }
        _round++;
    }

    /// <summary>
    /// What gives each masked task vector its norm back: norm before / after; 0 where after is no more than
    /// <paramref name="relative"/> of before, 1 where nothing is masked or there is no norm.
    /// </summary>
    public double[] Factors(double relative)
    {
        var factors = new double[_masks.Length];
        Array.Fill(factors, 1);
        foreach (var (k, i) in _models.Index())
        {
            var (before, after) = (_norms[2 * k], _norms[(2 * k) + 1]);
            factors[i] = after > before * relative ? before / after : 0;
        }
        return factors;
    }

    private int Model(int k) => _models[k / 2];

    // Δ_i, and then M_i Δ_i.
    private TensorExpr Value(Block b, int k) =>
        k % 2 == 0 ? b.Deltas[Model(k)] : b.Deltas[Model(k)].Masked(_masks[Model(k)]!(b));

    private TensorExpr Square(Block b, int k) => Value(b, k) * Value(b, k);

    private Stat<T>[] Each<T>(Func<Block, int, TensorExpr> value, Func<Func<Block, TensorExpr>, Stat<T>> ask) =>
        [.. Enumerable.Range(0, 2 * _models.Length).Select(k => ask(b => value(b, k)))];
}

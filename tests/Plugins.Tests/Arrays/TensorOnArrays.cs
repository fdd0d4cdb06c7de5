using Merge.Sdk;

namespace Plugins.Tests.Arrays;

/// <summary>One tensor of a merge: its arrays, the statistics asked of it, its result.</summary>
internal sealed class TensorOnArrays
{
    private readonly MergeInputs _inputs;

    public TensorOnArrays(string name, long[] shape, MergeInputs inputs)
    {
        _inputs = inputs;
        Scan = new TensorScan(
            new TensorInfo(name, [.. shape], KindOf(name), null),
            inputs.Models.Count,
            inputs.Base is not null,
            (side, model) => Side(side, model) is not null,
            new MathNetAlgebra());
    }

    public TensorScan Scan { get; }

    public ulong Seed => _inputs.Seed;

    private TensorInfo Info => Scan.Info;

    // As far as tests tell kinds apart.
    private static TensorKind KindOf(string name) => name switch
    {
        "model.embed_tokens.weight" => TensorKind.Embedding,
        "lm_head.weight" => TensorKind.Head,
        _ => TensorKind.Weight,
    };

    /// <summary>Values of a model, the base or a side input.</summary>
    public float[] Values(InputKey input) => input switch
    {
        { Side: { } side } => Side(side, input.Model)!,
        { Model: -1 } => _inputs.Base![Info.Name].Values,
        _ => _inputs.Models[input.Model][Info.Name].Values,
    };

    /// <summary>Computes what is pending; false when nothing is.</summary>
    public bool CompletePending()
    {
        var requests = MergeOnArrays.Take(Scan.Pending);
        foreach (var request in requests)
            Complete(request);
        return requests.Count > 0;
    }

    public float[] Evaluate(Node node) => new ExpressionOnArrays(this).Evaluate(node);

    public float[] Evaluate(TensorMerge merge)
    {
        switch (merge)
        {
            case ExpressionMerge m:
                return Evaluate(Scan.Record(m.Merge));
            case CopyMerge m:
                return Values(new InputKey(null, m.Model ?? -1));
            case LowRankMerge m:
                var product = Scan.Record(b => b.LowRank(m.B, m.A));
                return Evaluate(Scan.HasBase ? Scan.Record(b => b.Base + b.LowRank(m.B, m.A)) : product);
            case CombinationMerge m:
                Assert.Equal(Scan.ModelCount, m.Weights.Count);
                return Evaluate(Scan.Record(b =>
                {
                    var terms = (m.Deltas ? b.Deltas : b.Models).Zip(m.Weights, (x, w) => w * x);
                    if (!m.Deltas && m.BaseWeight != 0)
                        terms = terms.Prepend(m.BaseWeight * b.Base);
                    var sum = terms.Aggregate((x, y) => x + y);
                    return m.Deltas ? b.Base + sum : sum;
                }));
            default:
                throw new NotSupportedException(merge.GetType().Name);
        }
    }

    private void Complete(StatRequest request)
    {
        switch (request)
        {
            case SumRequest r:
                r.Stat.Complete(Evaluate(r.Value).Sum(x => (double)x));
                break;
            case DotRequest r:
                r.Stat.Complete(Dot(Evaluate(r.A), Evaluate(r.B)));
                break;
            case CountRequest r:
                r.Stat.Complete(Evaluate(r.Mask).LongCount(x => x != 0));
                break;
            case RangeRequest r:
                var values = Evaluate(r.Value);
                r.Stat.Complete(new ValueRange(
                    values.Aggregate(float.PositiveInfinity, MathF.Min),
                    values.Aggregate(float.NegativeInfinity, MathF.Max)));
                break;
            case GramRequest r:
                var columns = r.Values.Select(Evaluate).ToList();
                r.Stat.Complete(Fill(columns.Count, columns.Count, (i, j) => Dot(columns[i], columns[j])));
                break;
            case LargestRequest r:
                r.Stat.Complete(OrderOnArrays.Largest(Evaluate(r.Score), r.Keep));
                break;
            case OrderRequest r:
                var ascending = OrderOnArrays.Ascending(Evaluate(r.Score));
                r.Stat.Complete([.. r.Ranks.Select(rank => ascending[(int)rank])]);
                break;
            case RowSumsRequest r:
                var rows = AsMatrix(Evaluate(r.Value));
                r.Stat.Complete([.. Enumerable.Range(0, rows.Rows).Select(i => rows.Row(i).ToArray().Sum())]);
                break;
            case ColumnSumsRequest r:
                var transposed = AsMatrix(Evaluate(r.Value)).Transpose();
                r.Stat.Complete(
                    [.. Enumerable.Range(0, transposed.Rows).Select(j => transposed.Row(j).ToArray().Sum())]);
                break;
            case SideMatrixRequest r:
                var (gram, size) = (Side(r.Name, r.Model)!, (int)Info.RowLength);
                r.Stat.Complete(Fill(size, size, (i, j) => gram[(i * size) + j]));
                break;
            case ProductRequest r:
                r.Stat.Complete(Product(AsMatrix(Evaluate(r.Value)), r.Right));
                break;
            case TransposedProductRequest r:
                r.Stat.Complete(Product(AsMatrix(Evaluate(r.Value)).Transpose(), r.Left));
                break;
            case MaterializeRequest r:
                r.Stat.Complete(AsMatrix(Evaluate(r.Value)));
                break;
            default:
                throw new NotSupportedException(request.GetType().Name);
        }
    }

    private static Matrix Product(Matrix a, Matrix b) => Fill(a.Rows, b.Columns, (i, j) =>
        Enumerable.Range(0, a.Columns).Sum(k => a[i, k] * b[k, j]));

    // The host expands a stored rank-1 second moment: row_i · (column_j / Σ row).
    private float[]? Side(string side, int model)
    {
        if (!_inputs.Sides.TryGetValue(side, out var files) || files[model] is not { } file)
            return null;
        if (file.TryGetValue(Info.Name, out var full))
            return full.Values;
        if (!file.TryGetValue(Info.Name + ".row_sum", out var row))
            return null;
        var column = file[Info.Name + ".column_sum"].Values;
        var sum = (float)row.Values.Sum(x => (double)x);
        return [.. row.Values.SelectMany(r => column.Select(c => r * (c / sum)))];
    }

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();

    private Matrix AsMatrix(float[] values) =>
        Fill((int)Info.RowCount, (int)Info.RowLength, (i, j) => values[(i * Info.RowLength) + j]);

    private static Matrix Fill(int rows, int columns, Func<int, int, double> element)
    {
        var matrix = new Matrix(rows, columns);
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                matrix[i, j] = element(i, j);
        }
        return matrix;
    }
}

using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Merge.Compute;
using Merge.Compute.Cpu;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>A planned tensor as its strategy sees it, and the statistics the strategy asks of it.</summary>
internal sealed class ScanOf
{
    private readonly RunContext _context;
    private readonly TensorPlan _plan;
    private readonly Dictionary<(string, int), Node> _expanded = [];

    public ScanOf(RunContext context, TensorPlan plan)
    {
        _context = context;
        Swept = _plan = plan;
        Draws = new DrawMemory(plan.Info.Count);
        Tensor = new TensorScan(
            plan.Info,
            plan.Models.Length,
            plan.Base is not null,
            (name, model) => plan.Side(name, model) is not null,
            context.Algebra.For(plan),
            plan.TaskVectorRank);
    }

    public TensorScan Tensor { get; }

    /// <summary>What statistics drew, for the merge.</summary>
    public DrawMemory Draws { get; }

    /// <summary>What the statistics last taken are for, and takes more memory than they do.</summary>
    public LowRank.WorkMemory Work { get; private set; }

    /// <summary>What the statistics last taken sweep over: the tensor, or matrices beside it.</summary>
    public TensorPlan Swept { get; private set; }

    /// <summary>
    /// Statistics asked for since the last call, those of matrices beside the tensor before others; null if there are none.
    /// </summary>
    public TensorStatistics? TakePending()
    {
        if (Tensor.Pending.Count == 0)
            return null;
        Work = MatrixWork.Of(_plan, Tensor.Pending, _context.Algebra.Own);
        if (SideMatrices.Take(_plan, Tensor.Pending) is { } matrices)
        {
            Swept = matrices.Plan;
            return matrices.Statistics(_context);
        }
        Swept = _plan;
        StatRequest[] requests = [.. Tensor.Pending];
        Tensor.Pending.Clear();
        return new TensorStatistics(_plan.Info, requests, [], _context.Compiler, InputType, _context.Seed, Substitute, Draws);
    }

    public DType InputType(InputKey key) => _plan.Stored(key).DType;

    /// <summary>A side input stored in rank-1 form: row_i · (column_j / Σ row), an order that does not underflow.</summary>
    public Node? Substitute(InputKey key)
    {
        if (key.Side is not { } name || _plan.Side(name, key.Model) is not { RowSum: { } rows, ColumnSum: { } columns })
            return null;
        if (_expanded.TryGetValue((name, key.Model), out var known))
            return known;
        var rowSums = Values(rows);
        var columnSums = Values(columns);
        var total = rowSums.Sum(v => (double)v);
        CheckTotals(rows, total, columnSums.Sum(v => (double)v));
        var scaled = columnSums.Select(v => total == 0 ? 0f : (float)(v / total)).ToArray();
        return _expanded[(name, key.Model)] = Node.Of(
            Op.Multiply,
            new Node(Tensor, Op.RowVector) { Data = rowSums },
            new Node(Tensor, Op.ColumnVector) { Data = scaled });
    }

    // Sums of halves in another order differ; those of two files differ by more.
    private static void CheckTotals(TensorSource rows, double ofRows, double ofColumns)
    {
        if (Math.Abs(ofRows - ofColumns) <= 0.01 * Math.Max(ofRows, ofColumns))
            return;
        throw new InputFault(new Diagnostic($"side tensor '{rows.Name}' adds up to {ofRows:G4}, and the column sums beside it to {ofColumns:G4}")
        {
            Expected = "one total, as both are sums of one matrix",
            Where = rows.Files.First().Path,
            Fix = "The file is damaged or made of two: make it again with 'merge curvature compress'.",
        });
    }

    private static float[] Values(TensorSource stored)
    {
        var values = new float[stored.Shape.Aggregate(1L, (p, s) => p * s)];
        var bytes = MemoryMarshal.AsBytes(values.AsSpan());
        stored.Read(0, bytes);
        SideValues.Check(stored, bytes, 0);
        return values;
    }
}

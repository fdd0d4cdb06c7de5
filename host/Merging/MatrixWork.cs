using Merge.Compute;
using Merge.Merging.LowRank;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// Bytes that a method holds which asks for matrices of a tensor. What it does with them is seen when it does it, too late
/// to refuse it or to let it wait: matrices are asked for to be decomposed, so that is counted with them.
/// </summary>
internal static class MatrixWork
{
    // Of a whole matrix: itself, and what is made of it: its directions, put beside others', or what is orthogonal to some.
    private const int OfWhole = 2;

    // Of a few directions' products: those of two steps before, the last one, all of it below one another, decomposed
    // (a copy and U), and what is made of that.
    private const int OfProjection = 7;

    // Of a system of equations: two sums, turned over, factored, solved.
    private const int OfSystem = 5;

    /// <param name="tensor">The tensor.</param>
    /// <param name="pending">What the method asks for now.</param>
    /// <param name="algebra">What will decompose it.</param>
    /// <returns>Nothing where no matrix is asked for.</returns>
    public static WorkMemory Of(TensorPlan tensor, IReadOnlyCollection<StatRequest> pending, INamedLinearAlgebra algebra)
    {
        var (rows, columns) = (tensor.Info.RowCount, tensor.Info.RowLength);
        var whole = pending.Count(r => r is MaterializeRequest);
        var sides = pending.Count(r => r is SideMatrixRequest);
        (long Given, int Width)[] products =
        [
            .. pending.Select(r => r switch
            {
                ProductRequest p => (Bytes(columns, p.Right.Columns), p.Right.Columns),
                TransposedProductRequest p => (Bytes(rows, p.Left.Columns), p.Left.Columns),
                _ => (0, 0),
            }).Where(p => p.Item2 > 0),
        ];
        if (whole + sides + products.Length == 0)
            return default;
        var work = 0L;
        if (whole > 0)
            work += (OfWhole * whole * Bytes(rows, columns)) + algebra.SvdBytes(rows, columns);
        if (sides > 0)
            work += (sides + OfSystem) * Bytes(columns, columns);
        var width = products.Select(p => p.Width).DefaultIfEmpty(0).Max();
        var both = products.Sum(p => Bytes(rows + columns, p.Width));
        // Wide ones are no projections: nothing is decomposed that would be smaller.
        work += 2L * width > Math.Min(rows, columns)
            ? both + (OfSystem * Bytes(Math.Max(rows, columns), width))
            : (OfProjection * both) + algebra.SvdBytes(width, width);
        return new(
            whole > 0 ? $"decomposes {(whole == 1 ? "a matrix" : $"{whole} matrices")} of {rows}×{columns}"
                : sides > 0 ? $"computes with {(sides == 1 ? "a matrix" : $"{sides} matrices")} of {columns}×{columns}"
                : $"decomposes {rows}×{columns} matrices by {width} directions",
            work,
            products.Sum(p => p.Given));
    }

    /// <summary>What is known to be needed for a tensor before any value is read: nothing where that is unknown, or none.</summary>
    /// <param name="plan">The merge.</param>
    /// <param name="tensor">Its tensor; with elements, and not copied.</param>
    /// <param name="survey">What a survey found, where there is one.</param>
    /// <param name="algebra">What will decompose it.</param>
    public static WorkMemory Known(MergePlan plan, TensorPlan tensor, object? survey, INamedLinearAlgebra algebra)
    {
        var scan = new TensorScan(
            tensor.Info, tensor.Models.Length, tensor.Base is not null,
            (name, model) => tensor.Side(name, model) is not null, algebra, tensor.TaskVectorRank);
        try
        {
            var planning = StrategyCall.Run(
                plan.Strategy, tensor.Info.Name, () => plan.Strategy.PlanTensor(scan, tensor.Options!, survey).AsTask());
            // A cut does not tell it anything: what it asks for after that is known, too.
            while (!planning.IsCompleted && scan.Pending.Count > 0 && scan.Pending.All(r => r is LargestRequest))
            {
                StatRequest[] cuts = [.. scan.Pending];
                scan.Pending.Clear();
                foreach (var cut in cuts.Cast<LargestRequest>())
                    cut.Stat.Complete(Cut.KeepAll);
            }
            return planning.IsCompleted ? default : Of(tensor, scan.Pending, algebra);
        }
        catch (MergeException)
        {
            // It will be refused for its options, and not for what it would need.
            return default;
        }
    }

    private static long Bytes(long rows, long columns) => sizeof(double) * rows * columns;
}

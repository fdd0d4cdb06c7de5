using Merge.Adapters;
using Merge.Compute;
using Merge.Planning;

namespace Merge.Merging.LowRank;

/// <summary>Bytes that the decomposition of one module holds, beside the blocks that are read.</summary>
/// <param name="Why">What needs them, in words.</param>
/// <param name="Work">At most at once, between two sweeps.</param>
/// <param name="Carried">Of those what stays during a sweep.</param>
internal readonly record struct WorkMemory(string? Why, long Work, long Carried)
{
    // Of a QR decomposition: the matrix, a copy in columns, Q in columns and in rows, and what it is turned into.
    private const int MatricesOfQr = 5;

    /// <summary>Rows of a factor that are decomposed at a time, at least.</summary>
    public const int RowsAtOnce = 1024;

    /// <summary>Of a projection on some directions, and of the triples that come of it.</summary>
    /// <param name="tensor">The module's weight.</param>
    /// <param name="width">The basis' columns.</param>
    public static WorkMemory OfBasis(TensorPlan tensor, int width)
    {
        var (rows, columns) = (tensor.Info.RowCount, tensor.Info.RowLength);
        var factors = tensor.Models.OfType<AdaptedTensor>().Sum(a => a.FactorBytes);
        return new(
            $"looks for {width} directions of this tensor",
            factors + (sizeof(double) * width * ((MatricesOfQr * Math.Max(rows, columns)) + (2 * Math.Min(rows, columns)))),
            factors + (sizeof(double) * width * (rows + columns)));
    }

    /// <summary>Of factors of some rank, read and reduced or rounded.</summary>
    public static WorkMemory OfFactors(TensorPlan tensor, long rank, long kept)
    {
        var (rows, columns) = (tensor.Info.RowCount, tensor.Info.RowLength);
        var triangle = MatricesOfQr * sizeof(double) * rank * (rank + Math.Max(RowsAtOnce, 2 * rank));
        return new(
            $"works on factors of rank {rank}",
            (2 * sizeof(float) * (rows + columns) * rank) + triangle + ((sizeof(double) + sizeof(float)) * (rows + columns) * kept),
            0);
    }

    /// <summary>All that a phase holds that holds this much itself.</summary>
    public long With(long shared) => Math.Max(Work, shared + Carried);

    /// <summary>What every worker and the job hold in the sweeps for a basis of some columns.</summary>
    public static (long Each, long Held) OfSweeps(RunContext context, TensorPlan tensor, int width)
    {
        var (once, each) = TransposedProductReduction.Memory(tensor.Info, width);
        var block = context.BlockLength(tensor, tensor.Inputs, 0, 1) * RunContext.ElementBytes(tensor, tensor.Inputs, 0);
        return (block + each, OfBasis(tensor, width).With(once));
    }
}

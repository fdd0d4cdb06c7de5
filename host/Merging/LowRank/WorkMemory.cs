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

    /// <summary>Bytes of a QR decomposition, the matrix included.</summary>
    public static long OfQr(long rows, long columns) => MatricesOfQr * sizeof(double) * rows * columns;

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

    /// <summary>Of factors that are read, put side by side, and reduced or rounded.</summary>
    /// <param name="tensor">The module's weight.</param>
    /// <param name="rank">Of all of them side by side.</param>
    /// <param name="largest">Of the largest of them, which is read before it is put there.</param>
    /// <param name="kept">What is kept.</param>
    public static WorkMemory OfFactors(TensorPlan tensor, long rank, long largest, long kept)
    {
        var (rows, columns) = (tensor.Info.RowCount, tensor.Info.RowLength);
        var triangle = MatricesOfQr * sizeof(double) * rank * (rank + Math.Max(RowsAtOnce, 2 * rank));
        return new(
            $"works on factors of rank {rank}",
            (sizeof(float) * (rows + columns) * (rank + largest)) + triangle + ((sizeof(double) + sizeof(float)) * (rows + columns) * kept),
            0);
    }

    /// <summary>All that a phase holds that holds this much itself.</summary>
    public long With(long shared) => Math.Max(Work, shared + Carried);

    /// <summary>What every worker and the job hold in the sweeps for a basis of some columns.</summary>
    public static (long Each, long Held) OfSweeps(RunSettings settings, TensorPlan tensor, int width)
    {
        var (once, each) = TransposedProductReduction.Memory(tensor.Info, width);
        var block = Math.Min(settings.BlockBytes, settings.Memory / settings.Threads / 2);
        return (block + each, OfBasis(tensor, width).With(once));
    }
}

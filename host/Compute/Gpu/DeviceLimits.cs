using Merge.Sdk;

namespace Merge.Compute.Gpu;

/// <summary>What devices do not do.</summary>
internal static class DeviceLimits
{
    /// <summary>What the processor makes of values that the device evaluated.</summary>
    public const string Statistics = "values taken as a matrix";

    /// <summary>Whether a device can reduce what a statistic is of.</summary>
    public static bool Reduces(StatRequest request) =>
        request is not (MaterializeRequest or SideMatrixRequest);

    /// <summary>Why the processor evaluates it, as a person is told; null where a device can.</summary>
    public static string? Of(Recording recording)
    {
        if (recording.HasMap)
            return "the method's own loop";
        if (recording.Terms.Any(t => t.Op == Op.RankAlong))
            return "ranks along an axis";
        // Rows and columns are counted in 32 bits.
        return recording.Tensor.RowLength > int.MaxValue && recording.Terms.Any(t => t.Op is Op.RowVector or Op.ColumnVector)
            ? "rows of more than 2³¹ elements"
            : null;
    }
}

using Merge.Sdk;

namespace Sdk.Tests;

internal static class Scans
{
    /// <summary>A tensor to plan, without bytes behind it.</summary>
    public static TensorScan Of(long[] shape, int models = 1, bool hasBase = true, string name = "w") =>
        new(new TensorInfo(name, [.. shape], TensorKind.Weight, null), models, hasBase, (_, _) => false, null!);
}

using Merge.Sdk;

namespace Merge.Testing;

/// <summary>The ids of the methods that the host of this version ships, which keep them whatever a plugin says.</summary>
internal static class TakenIds
{
    // Their plugins are not part of the kit; a test compares the list with them.
    public static readonly IReadOnlyList<string> All =
    [
        "arcee_fusion", "breadcrumbs", "breadcrumbs_ties", "dare_linear", "dare_ties", "della", "della_linear", "ema", "ffg",
        "fisher", "iso_c", "iso_cts", "karcher", "knots", "lcsc", "linear", "model_stock", "multislerp", "mwa", "nearswap",
        "nuslerp", "ota", "passthrough", "ram", "ramplus_tl", "regmean", "sce", "slerp", "subspace_boosting", "task_arithmetic",
        "ties", "tsv_merge", "uniform", "wise-ft", "wsm",
    ];

    /// <summary>Whether another's plugin has taken one.</summary>
    public static bool IsTakenBy(MergeStrategy strategy) => All.Contains(strategy.Info.Id)
        && strategy.GetType().Assembly.GetName().Name?.StartsWith("Merge.Plugin.", StringComparison.Ordinal) != true;
}

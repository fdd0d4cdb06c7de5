using Merge.Sdk;

namespace Plugins.Tests.Engine;

/// <summary>
/// mergekit's spherical, stock and element-wise methods for <see cref="Workload"/>: name, models, parameters.
/// </summary>
internal static class MergekitWorkload
{
    private static readonly (string Name, int Models, string Parameters, bool SameBitsAsArrays)[] _all =
    [
        ("passthrough", 1, "scale: 0.7", true),
        ("slerp", 1, "t: 0.3", false),
        ("nuslerp", 2, "weight: 0.3", false),
        ("nuslerp rows", 2, "weight: 0.3, nuslerp_flatten: false", false),
        ("nuslerp columns", 2, "weight: 0.3, nuslerp_flatten: false, nuslerp_row_wise: true", false),
        ("multislerp", 3, "weight: 0.5", false),
        ("karcher", 3, "", false),
        ("model_stock", 3, "", false),
        ("model_stock rows", 3, "filter_wise: true", false),
        ("sce", 3, "", false),
        ("sce selected", 3, "select_topk: 0.3", false),
        ("ram", 3, "epsilon: 0.02", true),
        ("ramplus_tl", 3, "epsilon: 0.02", true),
        ("nearswap", 1, "t: 0.01", true),
        ("arcee_fusion", 1, "", false),
    ];

    public static IEnumerable<string> Methods => _all.Select(m => m.Name);

    public static (MergeStrategy Strategy, object Options, int Models, bool SameBitsAsArrays) Of(string name)
    {
        var (_, models, parameters, sameBits) = _all.Single(m => m.Name == name);
        var list = string.Join(", ", Enumerable.Range(1, models));
        var (strategy, options) = MergekitMethods.Bind(
            $"{{merge_method: {name.Split(' ')[0]}, models: [{list}], parameters: {{{parameters}}}}}");
        return (strategy, options, models, sameBits);
    }
}

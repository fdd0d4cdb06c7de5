using Merge.Plugin.ModelStock;
using Merge.Plugin.OtaFfg;
using Merge.Plugin.RegMean;
using Merge.Plugin.Selective;
using Merge.Plugin.Spherical;
using Merge.Plugin.Subspace;
using Merge.Plugin.Uniform;
using Merge.Recipes;
using Merge.Sdk;

namespace Plugins.Tests;

/// <summary>mergekit's spherical, stock and element-wise methods, those of OTA, of subspaces and of Gram matrices, set as a recipe sets them.</summary>
internal static class MergekitMethods
{
    public static IReadOnlyList<MergeStrategy> All { get; } =
    [
        new PassthroughMerge(), new SlerpMerge(), new NuSlerpMerge(), new MultiSlerpMerge(), new KarcherMerge(),
        new ModelStockMerge(), new SceMerge(), new RamMerge(), new RamPlusMerge(), new NearswapMerge(),
        new ArceeFusionMerge(), new OtaMerge(), new FfgMerge(), new FisherMerge(), new IsoCMerge(), new IsoCtsMerge(),
        new TsvMerge(), new SubspaceBoosting(), new RegMeanMerge(),
    ];

    public static MergeStrategy Find(string method) => All.Single(s => s.Info.Id == method);

    /// <summary>The options that a recipe's text gives for its method.</summary>
    public static (MergeStrategy Strategy, object Options) Bind(string recipe)
    {
        var parsed = RecipeParser.Parse("r.yaml", recipe);
        var strategy = Find(parsed.Method);
        var schema = OptionsSchema.Of(strategy.GetType().BaseType!.GetGenericArguments()[0]);
        return (strategy, RecipeOptions.Bind(schema, parsed, parsed.Models, parsed.Method, _ => []).Options);
    }
}

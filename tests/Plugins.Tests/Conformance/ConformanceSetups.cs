using Merge.Plugin.Knots;
using Merge.Plugin.Lcsc;
using Merge.Plugin.Mwa;
using Merge.Plugin.Selective;
using Merge.Plugin.Spherical;
using Merge.Plugin.TaskArithmetic;
using Merge.Plugin.Ties;
using Merge.Plugin.Uniform;
using Merge.Testing;

namespace Plugins.Tests.Conformance;

/// <summary>What a method here declares of itself.</summary>
internal static class ConformanceSetups
{
    private static readonly Dictionary<ConformanceRule, string> _compares = new()
    {
        [ConformanceRule.NotANumber] = "takes over what changed by more than ε, and of a NaN that cannot be said",
    };

    private static readonly Dictionary<ConformanceRule, string> _keepsNothing = new()
    {
        [ConformanceRule.Shapes] = "a density that would keep none of a tensor's elements is refused",
    };

    public static ConformanceSetup Of(string method) => method switch
    {
        "arcee_fusion" => new()
        {
            Exceptions = { [ConformanceRule.NotANumber] = "takes over what scores above a threshold, and a NaN does not" },
        },
        "breadcrumbs" or "breadcrumbs_ties" =>
            new() { Options = new BreadcrumbsOptions { Weight = 1, Density = 0.6, Gamma = 0.1 }, Exceptions = _keepsNothing },
        "dare_linear" or "dare_ties" => new() { Options = new DareOptions { Weight = 1, Density = 0.5 } },
        "della" => new() { Options = new DellaOptions { Weight = 1, Density = 0.5 } },
        "della_linear" => new() { Options = new DellaLinearOptions { Weight = 1, Density = 0.5 } },
        "ema" => new() { Options = new EmaOptions { Beta = 0.7 } },
        "knots" => new()
        {
            Options = new KnotsOptions { Rank = 8 },
            Exceptions = { [ConformanceRule.Memory] = "thin matrices, which grow with the rows" },
        },
        "lcsc" => new() { Options = new LcscOptions { Coefficient = new(null, 0.3, 0.2) } },
        "linear" => new() { Options = new LinearOptions { Weight = new(0.2, 0.3, 0.5) }, Symmetric = true },
        "multislerp" => new() { Options = new MultiSlerpOptions { Weight = 1 } },
        "mwa" => new() { Options = new MwaOptions { Metric = new(0.3, 0.2, 0.7) }, Symmetric = true },
        "nuslerp" => new() { Options = new NuSlerpOptions { Weight = new(0.3, 0.7) } },
        "ram" or "ramplus_tl" => new() { Exceptions = _compares },
        "slerp" => new() { Options = new SlerpOptions { T = 0.3 } },
        "iso_c" or "iso_cts" or "subspace_boosting" or "tsv_merge" => new()
        {
            Symmetric = true,
            Exceptions = { [ConformanceRule.Memory] = "decomposes whole matrices" },
        },
        "regmean" => new()
        {
            Symmetric = true,
            Exceptions = { [ConformanceRule.Memory] = "solves for whole matrices" },
        },
        "task_arithmetic" => new() { Options = new TaskArithmeticOptions { Weight = new(0.5, 1, 2) }, Symmetric = true },
        "ties" => new() { Options = new TiesOptions { Weight = 1, Density = 0.5 }, Symmetric = true, Exceptions = _keepsNothing },
        "fisher" or "karcher" or "model_stock" or "uniform" => new() { Symmetric = true },
        _ => new(),
    };
}

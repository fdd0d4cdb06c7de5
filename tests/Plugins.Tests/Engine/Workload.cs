using Merge.Plugin.Lcsc;
using Merge.Plugin.Mwa;
using Merge.Plugin.Subspace;
using Merge.Plugin.TaskArithmetic;
using Merge.Plugin.Ties;
using Merge.Plugin.Uniform;
using Merge.Sdk;
using Merge.TestPlugins.Strategies;
using Plugins.Tests.Arrays;

namespace Plugins.Tests.Engine;

/// <summary>Every strategy there is, and checkpoints large enough to be cut in blocks and, where asked, segments.</summary>
internal static class Workload
{
    private const int ModelCount = 3;

    private static readonly (string Name, long[] Shape)[] _tensors =
    [
        ("pair", [2, 1]), ("vector", [5003]), ("rows", [7, 1777]), ("matrix", [97, 60]), ("four", [3, 4, 5, 70]),
        ("ties", [64, 129]),
    ];

    public static IEnumerable<string> Methods =>
    [
        "uniform", "linear", "ema", "wsm", "wise-ft", "lcsc", "mwa", "task_arithmetic", "ties", "ties rescaled", "dare_linear",
        "dare_ties", "della", "breadcrumbs", "breadcrumbs_ties", "row_softmax",
        "curvature_graft", "curvature_graft rank 1", .. OfMatrices, .. MergekitWorkload.Methods,
    ];

    /// <summary>Those that decompose whole matrices, which takes long where they are large.</summary>
    public static IEnumerable<string> OfMatrices =>
        ["iso_c", "iso_cts", "tsv_merge", "subspace_boosting", "subspace_boosting ties"];

    /// <summary>A method by the name a test gives it, how it is set, and whether all it does is exact or rounded alike.</summary>
    public static (MergeStrategy Strategy, object Options, int Models, bool SameBitsAsArrays) Of(string method) =>
        method switch
        {
            "uniform" => (new UniformMerge(), new UniformOptions(), ModelCount, true),
            "linear" => (new LinearMerge(), new LinearOptions { Weight = new(0.3, -0.2, 0.7) }, ModelCount, true),
            "ema" => (new EmaMerge(), new EmaOptions { Beta = 0.7 }, ModelCount, true),
            "wsm" => (new WsmMerge(), new WsmOptions(), ModelCount, true),
            "wise-ft" => (new WiseFtMerge(), new WiseFtOptions { Alpha = 0.3 }, 1, true),
            "lcsc" => (new LcscMerge(), new LcscOptions { Coefficient = new(null, -0.2, 0.7) }, ModelCount, true),
            "mwa" => (new MwaMerge(), new MwaOptions { Metric = new(0.3, 0.2, 0.7) }, ModelCount, true),
            "task_arithmetic" => (
                new TaskArithmeticMerge(),
                new TaskArithmeticOptions { Weight = new(0.3, -0.2, 0.7), Lambda = 0.9 },
                ModelCount,
                true),
            "ties" => (
                new TiesMerge(),
                new TiesOptions { Weight = new(0.3, 0.5, 0.7), Density = new(0.5, 0.6, 1) },
                ModelCount,
                true),
            "ties rescaled" => (
                new TiesMerge(),
                new TiesOptions { Weight = new(0.3, 0.5, 0.7), Density = new(0.5, 0.6, 1), Rescale = true },
                ModelCount,
                false),
            "dare_linear" => (
                new DareLinearMerge(), new DareOptions { Weight = new(0.3, -0.2, 0.7), Density = 0.5 }, ModelCount, false),
            "dare_ties" => (
                new DareTiesMerge(),
                new DareOptions { Weight = 1, Density = 0.3, Rescale = Rescaling.InverseDensity },
                ModelCount,
                true),
            "della" => (
                new DellaMerge(),
                new DellaOptions { Weight = 1, Density = 0.5, Epsilon = 0.2, Lambda = 1.1 },
                ModelCount,
                false),
            "breadcrumbs" => (
                new BreadcrumbsMerge(),
                new BreadcrumbsOptions { Weight = new(0.3, -0.2, 0.7), Density = 0.6, Gamma = 0.1 },
                ModelCount,
                true),
            "breadcrumbs_ties" => (
                new BreadcrumbsTiesMerge(),
                new BreadcrumbsOptions { Weight = 1, Density = 0.6, Gamma = 0.1, Normalize = true },
                ModelCount,
                true),
            "row_softmax" => (new RowSoftmax(), new RowSoftmaxOptions { Temperature = 0.5 }, ModelCount, false),
            "curvature_graft" or "curvature_graft rank 1" => (
                new CurvatureGraft(), new CurvatureGraftOptions { Density = 0.3 }, ModelCount, false),
            "iso_c" => (new IsoCMerge(), new SubspaceOptions { Lambda = 0.8 }, ModelCount, false),
            "iso_cts" => (new IsoCtsMerge(), new IsoCtsOptions(), ModelCount, false),
            "tsv_merge" => (new TsvMerge(), new SubspaceOptions(), ModelCount, false),
            "subspace_boosting" => (
                new SubspaceBoosting(), new SubspaceBoostingOptions { Weight = new(0.3, -0.2, 0.7) }, ModelCount, false),
            "subspace_boosting ties" => (
                new SubspaceBoosting(),
                new SubspaceBoostingOptions { Merge = BoostedMerge.Ties, Density = 0.4 },
                ModelCount,
                false),
            _ => MergekitWorkload.Of(method),
        };

    /// <summary>Models, base and second moments; values of base and models are those of the dtype.</summary>
    public static MergeInputs Inputs(string method, DType dtype, bool large = false)
    {
        var tensors = large ? [.. _tensors, ("large", [1 << 11, 1037L])] : _tensors;
        var theta0 = Checkpoint(0, dtype);
        return new MergeInputs([.. Enumerable.Range(1, Of(method).Models).Select(i => Checkpoint(i, dtype))])
        {
            Base = theta0,
            Seed = 11,
            Sides = method.StartsWith("curvature_graft", StringComparison.Ordinal)
                ? new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]>
                {
                    ["second_moment"] = [.. Enumerable.Range(0, ModelCount).Select(i => Moments(i, method.EndsWith('1')))],
                }
                : new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]>(),
        };

        Dictionary<string, ArrayTensor> Checkpoint(int number, DType stored) => tensors.ToDictionary(
            t => t.Name,
            t => new ArrayTensor(t.Shape, Elements.Round(stored, Values(t.Name, t.Shape, number))));

        Dictionary<string, ArrayTensor> Moments(int number, bool rank1)
        {
            var moments = new Dictionary<string, ArrayTensor>();
            foreach (var (name, shape) in tensors.Where(t => t.Name != "four"))
            {
                if (rank1 && shape.Length == 2)
                {
                    var rows = Positive(name + "r", [shape[0]], number);
                    var columns = Positive(name + "c", [shape[1]], number);
                    // Both are sums of one matrix.
                    var scale = rows.Values.Sum() / columns.Values.Sum();
                    moments[name + ".row_sum"] = rows;
                    moments[name + ".column_sum"] = columns with { Values = [.. columns.Values.Select(v => v * scale)] };
                }
                else
                {
                    moments[name] = Positive(name, shape, number);
                }
            }
            return moments;
        }
    }

    private static ArrayTensor Positive(string name, long[] shape, int number) =>
        new(shape, PhiloxOnArrays.Uniform(3, name, number, (int)shape.Aggregate(1L, (a, b) => a * b)));

    // Base about ±½, task vectors about ±⅛; in "ties" only some values occur.
    private static float[] Values(string name, long[] shape, int number)
    {
        var count = (int)shape.Aggregate(1L, (a, b) => a * b);
        var theta0 = PhiloxOnArrays.Uniform(1, name, 0, count);
        var delta = PhiloxOnArrays.Uniform(2, name, number, count);
        var values = theta0.Zip(delta, (x, d) => x - 0.5f + (number == 0 ? 0 : (d - 0.5f) / 4));
        return [.. name == "ties" ? values.Select(v => MathF.Round(v * 64) / 64) : values];
    }
}

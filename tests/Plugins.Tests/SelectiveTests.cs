using Merge.Plugin.ModelStock;
using Merge.Plugin.Selective;
using Merge.Plugin.Uniform;
using Merge.Sdk;
using Plugins.Tests.Arrays;
using Plugins.Tests.Reference;

namespace Plugins.Tests;

/// <summary>
/// Model Stock, the element-wise methods, passthrough: their definitions, and what holds whatever the values.
/// </summary>
public abstract class SelectiveTests
{
    private protected abstract IMergeRunner Runner { get; }

    /// <summary>Every method on task vectors that takes so many models, with ordinary options.</summary>
    private static IEnumerable<(MergeStrategy Strategy, object Options)> All(int models)
    {
        yield return (new RamMerge(), new RamOptions());
        yield return (new RamPlusMerge(), new RamPlusOptions());
        yield return (new SceMerge(), new SceOptions());
        yield return (new SceMerge(), new SceOptions { SelectTopk = 0.5 });
        if (models == 1)
        {
            yield return (new NearswapMerge(), new NearswapOptions { T = 0.01 });
            yield return (new ArceeFusionMerge(), new ArceeFusionOptions());
            yield break;
        }
        yield return (new ModelStockMerge(), new ModelStockOptions());
        yield return (new ModelStockMerge(), new ModelStockOptions { FilterWise = true });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Model_stock_goes_by_the_angle_of_the_task_vectors(bool filterWise) => MergeCase.ForAll(
        c =>
        {
            // Near its pole t magnifies rounding; a tenth of the tolerance elsewhere.
            var expected = Selective.ModelStock(c, filterWise);
            var merged = Merge(new ModelStockMerge(), new ModelStockOptions { FilterWise = filterWise }, c.Inputs);
            var farthest = expected.Max(Math.Abs);
            if (farthest < 100)
                Near.Relative(expected, merged, 1e-4);
        },
        minModels: 2);

    [Fact]
    public void Model_stock_of_equal_models_is_the_model_and_of_orthogonal_ones_the_base()
    {
        var theta0 = ArrayTensor.Of(1, 2, 3, 4);
        var (x, y) = (ArrayTensor.Of(2, 2, 3, 4), ArrayTensor.Of(1, 2, 3, 7));
        var strategy = new ModelStockMerge();
        Assert.Equal(x.Values, Runner.MergeOne(strategy, new ModelStockOptions(), theta0, x, x, x));
        Assert.Equal(theta0.Values, Runner.MergeOne(strategy, new ModelStockOptions(), theta0, x, y));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.5)]
    [InlineData(0.1)]
    public void Sce_selects_calculates_and_erases(double topk) => MergeCase.ForAll(c => Near.Relative(
        Selective.Sce(c, topk), Merge(new SceMerge(), new SceOptions { SelectTopk = topk }, c.Inputs), 1e-5));

    [Theory]
    [InlineData(1e-5)]
    [InlineData(0.5)]
    public void Ram_averages_what_several_models_changed(double epsilon) => MergeCase.ForAll(c => Near.Relative(
        Selective.Ram(c, epsilon, 0, 0), Merge(new RamMerge(), new RamOptions { Epsilon = epsilon }, c.Inputs), 4e-6));

    [Theory]
    [InlineData(1e-5, 0.1, 0.2)]
    [InlineData(0.5, 0.7, 1.5)]
    public void Ram_plus_raises_what_one_model_changed(double epsilon, double r, double alpha) => MergeCase.ForAll(c =>
        Near.Relative(
            Selective.Ram(c, epsilon, r, alpha),
            Merge(new RamPlusMerge(), new RamPlusOptions { Epsilon = epsilon, R = r, Alpha = alpha }, c.Inputs),
            4e-6));

    [Fact]
    public void Ram_plus_without_r_is_ram() => MergeCase.ForAll(c => Assert.Equal(
        Merge(new RamMerge(), new RamOptions { Epsilon = 0.5 }, c.Inputs),
        Merge(new RamPlusMerge(), new RamPlusOptions { Epsilon = 0.5, R = 0 }, c.Inputs)));

    [Fact]
    public void Nearswap_swaps_what_is_near() => MergeCase.ForAll(
        c => Near.Relative(
            Selective.Nearswap(c, 0.1), Merge(new NearswapMerge(), new NearswapOptions { T = 0.1 }, c.Inputs)),
        maxModels: 1);

    [Fact]
    public void Nearswap_goes_from_base_to_model_bit_for_bit() => MergeCase.ForAll(
        c =>
        {
            Assert.Equal(c.Base, Merge(new NearswapMerge(), new NearswapOptions { T = 0 }, c.Inputs));
            Assert.Equal(c.Models[0], Merge(new NearswapMerge(), new NearswapOptions { T = 4 }, c.Inputs));
        },
        maxModels: 1);

    [Fact]
    public void Arcee_fusion_keeps_the_important_changes() => MergeCase.ForAll(
        c =>
        {
            var (importance, threshold) = Selective.Fusion(c);
            var merged = Merge(new ArceeFusionMerge(), new ArceeFusionOptions(), c.Inputs);
            for (var e = 0; e < c.Count; e++)
            {
                // Rounding decides at the threshold.
                if (Math.Abs(importance[e] - threshold) < (1e-4 * threshold) + 1e-6)
                    continue;
                Assert.Equal(importance[e] > threshold ? c.Models[0][e] : c.Base[e], merged[e], 1e-6f);
            }
        },
        maxModels: 1);

    [Fact]
    public void Passthrough_is_the_model_times_its_scale() => MergeCase.ForAll(
        c =>
        {
            Assert.Equal(c.Models[0], Merge(new PassthroughMerge(), new PassthroughOptions(), c.Inputs));
            Assert.Equal(
                c.Models[0].Select(x => 0.5f * x),
                Merge(new PassthroughMerge(), new PassthroughOptions { Scale = (double?)0.5 }, c.InputsWithoutBase));
            Assert.All(
                Merge(new PassthroughMerge(), new PassthroughOptions { Scale = (double?)0 }, c.InputsWithoutBase),
                x => Assert.Equal(0, x));
        },
        maxModels: 1);

    [Fact]
    public void A_task_vector_of_zero_leaves_the_base_bit_for_bit() => MergeCase.ForAll(c =>
    {
        var same = MergeInputs.OfOne(c.BaseTensor, [.. c.Models.Select(_ => c.BaseTensor)]);
        foreach (var (strategy, options) in All(c.Models.Length).Where(s => s.Strategy is not NearswapMerge))
            Assert.Equal(c.Base, Merge(strategy, options, same));
        if (c.Models.Length == 1)
            Near.Relative([.. c.Base], Merge(new NearswapMerge(), new NearswapOptions { T = 0.01 }, same));
    });

    [Fact]
    public void Order_of_the_models_does_not_matter() => MergeCase.ForAll(
        c =>
        {
            var reversed = c with { Models = [.. c.Models.Reverse()] };
            // The one that may: which of equal variances sce selects follows from rounding.
            foreach (var (strategy, options) in All(c.Models.Length)
                .Where(s => s.Options is not SceOptions { SelectTopk: < 1 }))
            {
                var merged = Merge(strategy, options, c.Inputs);
                if (merged.All(x => Math.Abs(x) < 100))
                    Near.Relative([.. merged.Select(x => (double)x)], Merge(strategy, options, reversed.Inputs), 1e-4);
            }
        },
        minModels: 2);

    [Fact]
    public void A_factor_on_all_inputs_is_a_factor_on_the_result() => MergeCase.ForAll(c =>
    {
        // A power of two, so that nothing rounds differently. Not of arcee_fusion: its softmax is not linear.
        var scaled = c with { Base = Times4(c.Base), Models = [.. c.Models.Select(Times4)] };
        foreach (var (strategy, options) in All(c.Models.Length)
            .Where(s => s.Strategy is RamMerge or RamPlusMerge or ModelStockMerge))
            Assert.Equal(Times4(Merge(strategy, options, c.Inputs)), Merge(strategy, options, scaled.Inputs));
    });

    private static float[] Times4(float[] values) => [.. values.Select(v => 4 * v)];

    private float[] Merge(MergeStrategy strategy, object options, MergeInputs inputs) =>
        Runner.Merge(strategy, options, inputs)["w"];
}

public sealed class SelectiveTestsOnArrays : SelectiveTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

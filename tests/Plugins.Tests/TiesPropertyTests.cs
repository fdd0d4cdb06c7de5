using Merge.Plugin.TaskArithmetic;
using Merge.Plugin.Ties;
using Merge.Sdk;
using Plugins.Tests.Arrays;
using Plugins.Tests.Reference;

namespace Plugins.Tests;

/// <summary>What holds of TIES and its relatives whatever the values.</summary>
public abstract class TiesPropertyTests
{
    private protected abstract IMergeRunner Runner { get; }

    /// <summary>Every method of the family with the same weights and density.</summary>
    private static IEnumerable<(MergeStrategy Strategy, TaskVectorOptions Options)> All(double[] weights, double density)
    {
        PerModel<double> weight = new(weights);
        yield return (new TiesMerge(), new TiesOptions { Weight = weight, Density = density });
        yield return (new TiesMerge(), new TiesOptions { Weight = weight, Density = density, Rescale = true });
        var breadcrumbs = new BreadcrumbsOptions { Weight = weight, Density = density, Gamma = 0.2 };
        yield return (new BreadcrumbsMerge(), breadcrumbs);
        yield return (new BreadcrumbsTiesMerge(), breadcrumbs with { Rescale = true });
        var dare = new DareOptions { Weight = weight, Density = density };
        yield return (new DareLinearMerge(), dare);
        yield return (new DareTiesMerge(), dare with { Rescale = Rescaling.InverseDensity });
        yield return (new DellaMerge(), new DellaOptions { Weight = weight, Density = density });
        yield return (new DellaLinearMerge(), new DellaLinearOptions { Weight = weight, Density = density });
    }

    [Fact]
    public void Task_vectors_of_zero_leave_the_base_bit_for_bit() => ForAll(c =>
    {
        var same = MergeInputs.OfOne(c.BaseTensor, [.. c.Models.Select(_ => c.BaseTensor)]);
        foreach (var (strategy, options) in All(c.Weights, 0.5))
            Assert.Equal(c.Base, Merge(strategy, options, same));
    });

    [Fact]
    public void Lambda_zero_is_the_base_bit_for_bit() => ForAll(c =>
    {
        foreach (var (strategy, options) in All(c.Weights, 0.5))
            Assert.Equal(c.Base, Merge(strategy, options with { Lambda = 0 }, c.Inputs));
    });

    [Fact]
    public void Equal_models_are_one_model_with_their_weights() => ForAll(c =>
    {
        var same = MergeInputs.OfOne(c.BaseTensor, [.. c.Models.Select(_ => c.ModelTensors[0])]);
        var one = MergeInputs.OfOne(c.BaseTensor, c.ModelTensors[0]);
        foreach (var normalize in new[] { true, false })
        {
            double[] weight = [normalize ? 1 : c.Weights.Sum()];
            Agree(new TiesMerge(), new TiesOptions { Weight = new(weight), Density = 0.5, Lambda = 0.6 });
            var breadcrumbs = new BreadcrumbsOptions { Weight = new(weight), Density = 0.5, Gamma = 0.2, Lambda = 0.6 };
            Agree(new BreadcrumbsMerge(), breadcrumbs);
            Agree(new BreadcrumbsTiesMerge(), breadcrumbs);

            void Agree(MergeStrategy strategy, TaskVectorOptions options) => Near.Relative(
                [.. Merge(strategy, options with { Normalize = normalize }, one).Select(x => (double)x)],
                Merge(strategy, options with { Normalize = normalize, Weight = new(c.Weights) }, same));
        }
    });

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void From_density_1_on_what_adds_up_is_task_arithmetic_bit_for_bit(double density) => MergeCase.ForAll(c =>
    {
        foreach (var normalize in new[] { true, false })
        {
            var expected = Merge(
                new TaskArithmeticMerge(),
                new TaskArithmeticOptions { Weight = new(c.Weights), Normalize = normalize, Lambda = 0.7 },
                c.Inputs);
            foreach (var (strategy, options) in All(c.Weights, density)
                .Where(m => m.Strategy is BreadcrumbsMerge or DareLinearMerge or DellaLinearMerge))
            {
                Assert.Equal(
                    expected, Merge(strategy, options with { Normalize = normalize, Lambda = 0.7 }, c.Inputs));
            }
        }
    });

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void From_density_1_on_what_elects_is_untrimmed_ties_bit_for_bit(double density) => MergeCase.ForAll(c =>
    {
        var expected = Merge(new TiesMerge(), new TiesOptions { Weight = new(c.Weights), Normalize = false }, c.Inputs);
        foreach (var (strategy, options) in All(c.Weights, density)
            .Where(m => m.Strategy is TiesMerge or BreadcrumbsTiesMerge or DareTiesMerge or DellaMerge))
            Assert.Equal(expected, Merge(strategy, options with { Normalize = false }, c.Inputs));
    });

    [Fact]
    public void The_order_of_the_models_does_not_matter_where_nothing_is_drawn() => ForAll(c =>
    {
        var reversed = c with { Models = [.. c.Models.Reverse()], Weights = [.. c.Weights.Reverse()] };
        foreach (var ((strategy, options), (_, other)) in All(c.Weights, 0.5).Zip(All(reversed.Weights, 0.5)))
        {
            // Weighted sums are exact until a rescaling: signs cannot flip by rounding.
            if (options is not (TiesOptions { Rescale: false } or BreadcrumbsOptions { Rescale: false }))
                continue;
            Near.Relative(
                [.. Merge(strategy, options, c.Inputs).Select(x => (double)x)],
                Merge(strategy, other, reversed.Inputs));
        }
    });

    [Fact]
    public void A_factor_on_all_inputs_is_a_factor_on_the_result() => ForAll(c =>
    {
        // A power of two, so that nothing rounds differently.
        var scaled = c with { Base = Times4(c.Base), Models = [.. c.Models.Select(Times4)] };
        foreach (var (strategy, options) in All(c.Weights, 0.5))
            Assert.Equal(Times4(Merge(strategy, options, c.Inputs)), Merge(strategy, options, scaled.Inputs));
    });

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.75)]
    [InlineData(1)]
    public void Exactly_as_many_stay_as_asked_however_many_tie(double density) => MergeCase.ForAll(
        c =>
        {
            if (density * c.Count < 1)
                return;
            // Two magnitudes, as in the task vectors of a bf16 model; none is 0.
            var model = c.Base.Zip(c.Delta(0), (x, d) => x + (MathF.Abs(d) < 1 ? 1 : 2) * (d < 0 ? -1f : 1));
            var inputs = MergeInputs.OfOne(c.BaseTensor, c.BaseTensor with { Values = [.. model] });
            var expected = (int)(density * c.Count);
            Assert.Equal(expected, Changed(new TiesMerge(), new TiesOptions { Weight = 1, Density = density }));
            foreach (var gamma in new[] { 0, 0.01, 0.3, 1 })
            {
                var options = new BreadcrumbsOptions { Weight = 1, Density = density, Gamma = gamma };
                Assert.Equal(expected, Changed(new BreadcrumbsMerge(), options));
                Assert.Equal(expected, Changed(new BreadcrumbsTiesMerge(), options));
            }

            int Changed(MergeStrategy strategy, object options) =>
                Merge(strategy, options, inputs).Zip(c.Base).Count(p => p.First != p.Second);
        },
        maxModels: 1);

    [Fact]
    public void A_rescaled_task_vector_has_the_l1_norm_it_had() => ForAll(
        c =>
        {
            var zero = c with { Base = new float[c.Count], Weights = [1.0] };
            foreach (var (strategy, options) in All(zero.Weights, 0.5).Select(WithL1))
            {
                var merged = TaskVectorMethods.L1(Merge(strategy, options with { Normalize = false }, zero.Inputs));
                // A draw may drop everything.
                if (merged > 0)
                    Assert.Equal(TaskVectorMethods.L1(zero.Models[0]), merged, 1e-5 * merged);
            }
        },
        maxModels: 1);

    [Fact]
    public void A_draw_is_that_of_seed_and_model()
    {
        var theta0 = new ArrayTensor([40, 25], new float[1000]);
        var theta = new ArrayTensor([40, 25], [.. Enumerable.Range(1, 1000).Select(e => e / 1024f)]);
        foreach (var (strategy, options) in All([1, 1], 0.5).Where(m => m.Options is DareOptions or DellaOptions))
        {
            var inputs = MergeInputs.OfOne(theta0, theta, theta);
            var merged = Merge(strategy, options, inputs with { Seed = 1 });
            Assert.Equal(merged, Merge(strategy, options, inputs with { Seed = 1 }));
            Assert.NotEqual(merged, Merge(strategy, options, inputs with { Seed = 2 }));
            Assert.NotEqual(
                Merge(strategy, options with { Weight = new(1, 0) }, inputs),
                Merge(strategy, options with { Weight = new(0, 1) }, inputs));
        }
    }

    private static void ForAll(Action<MergeCase> holds, int maxModels = 5) => MergeCase.ForAll(
        c =>
        {
            // A density of one half keeps nothing of a single element.
            if (c.Count > 1)
                holds(c);
        },
        maxModels: maxModels);

    private static (MergeStrategy Strategy, TaskVectorOptions Options) WithL1(
        (MergeStrategy Strategy, TaskVectorOptions Options) method) => (method.Strategy, method.Options switch
        {
            TiesOptions o => o with { Rescale = true },
            BreadcrumbsOptions o => o with { Rescale = true },
            DareOptions o => o with { Rescale = Rescaling.L1 },
            var o => o,
        });

    private static float[] Times4(float[] values) => [.. values.Select(v => 4 * v)];

    private float[] Merge(MergeStrategy strategy, object options, MergeInputs inputs) =>
        Runner.Merge(strategy, options, inputs)["w"];
}

public sealed class TiesPropertyTestsOnArrays : TiesPropertyTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

using Merge.Plugin.OtaFfg;
using Merge.Sdk;
using Plugins.Tests.Arrays;

namespace Plugins.Tests;

/// <summary>OTA, FFG and Fisher merging: what holds whatever the values, and at the magnitudes of large models.</summary>
public abstract class OtaTests
{
    private protected abstract IMergeRunner Runner { get; }

    [Fact]
    public void Equal_models_return_themselves() => MergeCase.ForAll(c =>
    {
        var same = Inputs(c with { Models = [.. c.Models.Select(_ => c.Models[0])] });
        double[] expected = [.. c.Models[0]];
        Near.Relative(expected, Merge("ota", "", same));
        Near.Relative(expected, Merge("fisher", "", same));
        Near.Relative(expected, Merge("ota", "masked_task_vector_merge_method: linear", same));
    });

    [Fact]
    public void The_order_of_the_models_does_not_matter() => MergeCase.ForAll(c =>
    {
        var inputs = Inputs(c);
        var reversed = inputs with
        {
            Models = [.. inputs.Models.Reverse()],
            Sides = inputs.Sides.ToDictionary(s => s.Key, s => s.Value.Reverse().ToArray()),
        };
        foreach (var (method, parameters) in new[] { ("ota", ""), ("ota", "density: 0.5, fallback_to_base: true"), ("fisher", "") })
        {
            Near.Relative(
                [.. Merge(method, parameters, inputs).Select(x => (double)x)], Merge(method, parameters, reversed), 1e-5);
        }
    });

    [Fact]
    public void A_common_factor_on_all_second_moments_changes_nothing() => MergeCase.ForAll(c =>
    {
        // A power of four: its root is exact. Epsilon vanishes beside them.
        var inputs = Inputs(c);
        var larger = Inputs(c, factor: 1 << 20);
        Near.Relative(
            [.. Merge("ota", "epsilon: 1e-30", inputs).Select(x => (double)x)], Merge("ota", "epsilon: 1e-30", larger));
        Near.Relative([.. Merge("fisher", "", inputs).Select(x => (double)x)], Merge("fisher", "", larger));
    });

    [Fact]
    public void Curvature_on_one_model_alone_returns_it() => MergeCase.ForAll(c =>
    {
        var inputs = Inputs(c, only: 0);
        Near.Relative([.. c.Models[0].Select(x => (double)x)], Merge("ota", "epsilon: 1e-30", inputs), 1e-5);
    });

    [Fact]
    public void A_graft_has_exactly_as_many_edits_as_asked_and_they_are_the_models_bit_for_bit() => MergeCase.ForAll(
        c =>
        {
            var merged = Merge("ffg", "density: 0.3", Inputs(c));
            var edits = Enumerable.Range(0, c.Count).Where(e => merged[e] != c.Base[e]).ToArray();
            Assert.All(edits, e => Assert.Equal(c.Models[0][e], merged[e]));
            var most = Math.Max(1, (int)Math.Round(0.3 * c.Count));
            Assert.True(edits.Length <= most, $"{edits.Length} edits, {most} asked for");
            Assert.Equal(c.Base, Merge("ffg", "density: 0", Inputs(c)));
            Assert.Equal(c.Models[0], Merge("ffg", "density: 1", Inputs(c)));
            Assert.Equal(
                Merge("ffg", "density: 0.3", Inputs(c)), Merge("ffg", "density: 0.3, density_scope: model", Inputs(c)));
        },
        maxModels: 1);

    [Fact]
    public void Without_second_moments_the_largest_edits_are_grafted()
    {
        var inputs = MergeInputs.OfOne(ArrayTensor.Of(1, 1, 1), ArrayTensor.Of(1.5f, 3, 1));
        Assert.Equal([1, 3, 1], Merge("ffg", "density: 0.34", inputs));
    }

    [Theory]
    [InlineData("power: 0.5", 0.5)]
    [InlineData("power: 1", 1)]
    public void Second_moments_of_1e20_and_an_epsilon_of_1e26_neither_underflow_nor_vanish(string power, double exponent)
    {
        // Saliencies 1e-30, 4e-30 and below: under float32's 1e-38 only if multiplied in another order.
        float[] first = [1e-20f, 0, 1e-20f, 0], second = [4e-20f, 0, 1e-24f, 1e-20f];
        var inputs = Sided(
            MergeInputs.OfOne(
                ArrayTensor.Of(1, 1, 1, 1),
                ArrayTensor.Of(1 + 1e-5f, 1.5f, 1 + 1e-5f, 2),
                ArrayTensor.Of(1 + 3e-5f, 2, 1 + 1e-5f, 1.5f)),
            first,
            second);
        var merged = Merge("ota", $"{power}, epsilon: 1.0e-26", inputs);
        var expected = Enumerable.Range(0, 4).Select(e =>
        {
            var (w, u) = (Math.Pow(first[e], exponent) + 1e-26, Math.Pow(second[e], exponent) + 1e-26);
            double x = inputs.Models[0]["w"].Values[e] - 1, y = inputs.Models[1]["w"].Values[e] - 1;
            return 1 + (((w * x) + (u * y)) / (w + u));
        });
        Near.Relative([.. expected], merged, 1e-7);
        var kept = Merge("ota", "precond_threshold: 5.0e-31, epsilon: 1.0e-26, fallback_to_base: true", inputs);
        Assert.Equal(1.5f, kept[3]);
        Assert.Equal(1f, kept[1]);
        Assert.True(kept[0] > 1 + 1e-5f, $"{kept[0]}");
    }

    [Fact]
    public void Rank_1_moments_of_1e20_do_not_underflow()
    {
        var theta0 = new ArrayTensor([2, 2], [1, 1, 1, 1]);
        var inputs = Sided(
            MergeInputs.OfOne(theta0, new([2, 2], [2, 2, 2, 2]), new([2, 2], [3, 3, 3, 3])),
            new ArrayTensor[] { new([2, 2], [1e-20f, 1e-20f, 1e-20f, 1e-20f]), new([2, 2], [9e-20f, 9e-20f, 9e-20f, 9e-20f]) });
        Near.Relative([2.75, 2.75, 2.75, 2.75], Merge("ota", "rank1_approx: true, epsilon: 1.0e-26", inputs));
    }

    [Fact]
    public void Normalised_preconditioners_count_alike_however_large_they_are()
    {
        // Roots (1, 3)·1e-10 and (2, 2)·1e-5; divided by their means (0.5, 1.5) and (1, 1).
        var inputs = Sided(
            MergeInputs.OfOne(ArrayTensor.Of(1, 1), ArrayTensor.Of(2, 2), ArrayTensor.Of(4, 1)), [1e-20f, 9e-20f], [4e-10f, 4e-10f]);
        Near.Relative([1 + (3.5 / 1.5), 1.6], Merge("ota", "normalise: global, epsilon: 1.0e-26", inputs), 1e-6);
        Near.Relative([4, 1], Merge("ota", "epsilon: 1.0e-26", inputs), 1e-4);
    }

    [Fact]
    public void Ties_keeps_of_each_task_vector_the_share_of_ties_density_before_signs_are_elected()
    {
        var inputs = Sided(
            MergeInputs.OfOne(
                ArrayTensor.Of(1, 1, 1, 1), ArrayTensor.Of(5, 2, -1, 1), ArrayTensor.Of(0, 4, -1, 1.5f)),
            [1, 1, 1, 1],
            [1, 1, 1, 1]);
        Assert.Equal([3, 3, -1, 1.25f], Merge("ota", "masked_task_vector_merge_method: ties", inputs));
        Assert.Equal([3, 2.5f, -1, 1], Merge("ota", "masked_task_vector_merge_method: ties, ties_density: 0.5", inputs));
    }

    [Theory]
    [InlineData("false")]
    [InlineData("true")]
    public void Rescaled_edits_have_the_spectral_norm_back_approximated_or_not(string approximate)
    {
        // The edits are (1, 2, 2, 4)(1, 2)ᵀ, the first two rows stay: the norm was 5·√5 and is √5·√5.
        var theta0 = new ArrayTensor([4, 2], [1, 1, 1, 1, 1, 1, 1, 1]);
        var tuned = new ArrayTensor([4, 2], [2, 3, 3, 5, 3, 5, 5, 9]);
        var v = new ArrayTensor([4, 2], [1, 1, 1, 1, 0, 0, 0, 0]);
        var root = Math.Sqrt(5);
        Near.Relative(
            [1 + root, 1 + (2 * root), 1 + (2 * root), 1 + (4 * root), 1, 1, 1, 1],
            Merge(
                "ota",
                $"precond_threshold: 0.5, rescale: true, approximate_norm: {approximate}, masked_task_vector_merge_method: linear",
                Sided(MergeInputs.OfOne(theta0, tuned), new[] { v })),
            1e-6);
    }

    [Theory]
    [InlineData("ota", "epsilon: 0", "'epsilon'")]
    [InlineData("ota", "power: 0", "'power'")]
    [InlineData("ota", "scaling_factor: -1", "'scaling_factor'")]
    [InlineData("ota", "normalise: mean", "'normalise'")]
    [InlineData("ota", "masked_task_vector_merge_method: sum", "'masked_task_vector_merge_method'")]
    [InlineData("ota", "rank: 0", "'rank'")]
    [InlineData("ota", "density: 1.1", "'density'")]
    [InlineData("ota", "precond_threshold: -1", "'precond_threshold'")]
    [InlineData("ota", "rescale_relative_threshold: 2", "'rescale_relative_threshold'")]
    [InlineData("ffg", "metric: size", "'metric'")]
    [InlineData("fisher", "weight: -1", "'weight'")]
    public void A_wrong_option_is_refused(string method, string parameters, string found)
    {
        var error = Assert.Throws<MergeException>(() => Bind(method, parameters, 2));
        Assert.True(error.WrongUsage);
        Assert.Contains(error.Diagnostics, d => d.Found.Contains(found, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ota", "density: 0.5, precond_threshold: 1", true, "both precond_threshold and density")]
    [InlineData("ota", "ties_density: 0.5", true, "nothing is merged by ties")]
    [InlineData("ota", "masked_task_vector_merge_method: linear", false, "no base model")]
    [InlineData("ota", "rescale: true", false, "no base model")]
    [InlineData("ota", "density_scope: model", true, "no density")]
    [InlineData("ota", "density_scope: model, density: 0.5, rank: 2", true, "rank")]
    [InlineData("fisher", "weight: 0", true, "weight 0")]
    public void Options_that_do_not_go_together_are_refused(string method, string parameters, bool hasBase, string found)
    {
        var one = new ArrayTensor([1, 2], [1, 2]);
        var inputs = Sided(MergeInputs.OfOne(hasBase ? one : null, one, one), new[] { one, one });
        var error = Assert.Throws<MergeException>(() => Merge(method, parameters, inputs));
        Assert.True(error.WrongUsage);
        Assert.Contains(error.Diagnostics, d => d.Found.Contains(found, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ota", "")]
    [InlineData("fisher", "")]
    [InlineData("ffg", "precond_threshold: 1.0e-20")]
    public void A_tensor_without_second_moments_is_named(string method, string parameters)
    {
        var error = Assert.Throws<MergeException>(
            () => Merge(method, parameters, MergeInputs.OfOne(ArrayTensor.Of(1), ArrayTensor.Of(2))));
        Assert.Contains("'w'", Assert.Single(error.Diagnostics).Found);
    }

    private float[] Merge(string method, string parameters, MergeInputs inputs)
    {
        var (strategy, options) = Bind(method, parameters, inputs.Models.Count);
        return Runner.Merge(strategy, options, inputs)["w"];
    }

    private static (MergeStrategy Strategy, object Options) Bind(string method, string parameters, int models)
    {
        var file = method == "fisher" ? "fisher_path: v" : "preconditioner_path: v";
        var list = string.Join(", ", Enumerable.Range(1, models));
        return MergekitMethods.Bind(
            $"{{merge_method: {method}, models: [{list}], parameters: {{{file}{(parameters.Length == 0 ? "" : ", " + parameters)}}}}}");
    }

    // Second moments of 1 to 4, or of one model alone.
    private static MergeInputs Inputs(MergeCase c, float factor = 1, int? only = null) => Sided(
        c.Inputs,
        [
            .. c.Models.Select((_, i) => new ArrayTensor(c.Shape,
            [
                .. PhiloxOnArrays.Uniform(5, "v", 0, c.Count).Select((u, e) =>
                    only is { } k && k != i ? 0 : factor * (1 + u + Math.Abs(c.Models[i][e]))),
            ])),
        ]);

    private static MergeInputs Sided(MergeInputs inputs, float[] first, float[] second) =>
        Sided(inputs, new[] { ArrayTensor.Of(first), ArrayTensor.Of(second) });

    private static MergeInputs Sided(MergeInputs inputs, ArrayTensor[] moments) => inputs with
    {
        Sides = new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]>
        {
            ["second_moment"] = [.. moments.Select(v => new Dictionary<string, ArrayTensor> { ["w"] = v })],
        },
    };
}

public sealed class OtaTestsOnArrays : OtaTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

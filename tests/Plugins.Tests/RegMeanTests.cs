using Merge.Plugin.RegMean;
using Merge.Sdk;
using Plugins.Tests.Arrays;
using Plugins.Tests.Engine;

namespace Plugins.Tests;

/// <summary>RegMean: what holds whatever the values, what its Gram matrices must be, and the worked example of the README.</summary>
public sealed class RegMeanTests
{
    private static readonly MergeOnArrays _onArrays = new();
    private static readonly MergeOnEngine _onEngine = new(EngineSettings.Of());
    private static readonly ArrayTensor[] _models = [new([1, 2], [1, 0]), new([1, 2], [3, 2])];

    [Fact]
    public void The_worked_example_holds()
    {
        foreach (var runner in new IMergeRunner[] { _onArrays, _onEngine })
            Near.All([1.5f, 1], Merge(runner, new(), _models, [3, 0, 0, 1], [1, 0, 0, 1]), 1e-7, "w");
    }

    [Fact]
    public void Equal_models_return_themselves() => OfMatrices(c =>
    {
        ArrayTensor[] same = [.. c.Models.Select(_ => c.ModelTensors[0])];
        Near.All(c.Models[0], Merge(_onArrays, new(), same, Grams(c)), 1e-5, "w");
    });

    [Fact]
    public void Identities_give_the_mean() => OfMatrices(c => Near.All(
        [.. Enumerable.Range(0, c.Count).Select(e => (float)c.Models.Average(m => (double)m[e]))],
        Merge(_onArrays, new(), c.ModelTensors, [.. c.Models.Select(_ => Identity((int)c.Shape[1]))]),
        1e-6, "w"));

    [Fact]
    public void A_common_factor_on_all_Gram_matrices_changes_nothing() => OfMatrices(c => Near.All(
        Merge(_onArrays, new(), c.ModelTensors, Grams(c)),
        Merge(_onArrays, new(), c.ModelTensors, [.. Grams(c).Select(g => g.Select(x => x * 4096).ToArray())]),
        1e-6, "w"));

    [Fact]
    public void The_order_of_the_models_does_not_matter() => OfMatrices(c => Near.All(
        Merge(_onArrays, new(), c.ModelTensors, Grams(c)),
        Merge(_onArrays, new(), [.. c.ModelTensors.Reverse()], [.. Grams(c).Reverse()]),
        1e-5, "w"));

    [Fact]
    public void A_model_alone_returns_itself_whatever_its_Gram_matrix() =>
        Assert.Equal(_models[1].Values, Merge(_onEngine, new(), [_models[1]], [0, 0, 0, 0]));

    [Fact]
    public void A_tensor_that_no_file_has_a_Gram_matrix_of_is_averaged()
    {
        var inputs = Inputs(_models, [3, 0, 0, 1], [1, 0, 0, 1]);
        inputs = inputs with
        {
            Models = [.. inputs.Models.Select((m, i) => m.Append(new("bias", ArrayTensor.Of(i, 8))).ToDictionary())],
        };
        var merged = _onEngine.Merge(new RegMeanMerge(), new RegMeanOptions(), inputs);
        Assert.Equal([0.5f, 8], merged["bias"]);
        Near.All([1.5f, 1], merged["w"], 1e-7, "w");
    }

    [Fact]
    public void An_input_that_is_always_0_has_its_weights_averaged() =>
        Near.All([1.5f, 1], Merge(_onEngine, new() { Alpha = 1 }, _models, [3, 0, 0, 0], [1, 0, 0, 0]), 1e-7, "w");

    [Fact]
    public void Inputs_that_cannot_be_told_apart_are_refused_with_alpha_1_alone()
    {
        float[] one = [1, 1, 1, 1];
        var problem = Refused(Inputs(_models, one, one), new() { Alpha = 1 });
        Assert.Equal("w", problem.Where);
        Assert.Contains("has no inverse", problem.Found);
        Assert.Contains("alpha below 1", problem.Fix);
        Near.All([2, 1], Merge(_onEngine, new() { Alpha = 0.9 }, _models, one, one), 1e-6, "w");
    }

    [Fact]
    public void A_sum_that_no_inputs_have_is_refused()
    {
        var problem = Refused(Inputs(_models, [1, 4, 4, 1], [1, 4, 4, 1]));
        Assert.Contains("has no inverse", problem.Found);
        Assert.Contains("X^T X", problem.Fix);
    }

    [Fact]
    public void A_Gram_matrix_that_one_model_lacks_is_refused()
    {
        var inputs = Inputs(_models, [3, 0, 0, 1], [1, 0, 0, 1]);
        var problem = Refused(inputs with
        {
            Sides = new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]> { ["gram"] = [inputs.Sides["gram"][0], null] },
        }, new() { GramPath = new("a.safetensors", "b.safetensors") });
        Assert.Equal("w", problem.Where);
        Assert.Contains("model 2 has no Gram matrix of this tensor in 'b.safetensors'", problem.Found);
    }

    [Theory]
    [InlineData(float.NaN, 0, 0, 1, "element 0 of side tensor 'w' is NaN", "finite")]
    [InlineData(1, float.NegativeInfinity, 0, 1, "element 1 of side tensor 'w' is infinite", "finite")]
    [InlineData(1, 0.5f, -0.5f, 1, "side tensor 'w' has -0.5 at [1, 0] and 0.5 at [0, 1]", "symmetric")]
    [InlineData(1, 0, 0, -2, "side tensor 'w' has -2 at [1, 1]", "symmetric")]
    public void What_is_no_Gram_matrix_is_refused_with_file_and_element(
        float a, float b, float c, float d, string found, string expected)
    {
        var problem = Refused(Inputs(_models, [1, 0, 0, 1], [a, b, c, d]));
        Assert.Equal(found, problem.Found);
        Assert.Contains(expected, problem.Expected);
        Assert.EndsWith(".safetensors", problem.Where);
        Assert.Contains("gram1", problem.Where);
    }

    [Fact]
    public void Products_whose_sums_were_rounded_otherwise_are_taken_for_symmetric() => Near.All(
        Merge(_onEngine, new(), _models, [2, 1, 1, 1], [2, 1, 1, 1]),
        Merge(_onEngine, new(), _models, [2, 1.005f, 0.995f, 1], [2, 1, 1, 1]), 1e-6, "w");

    [Fact]
    public void A_Gram_matrix_of_another_width_is_refused_with_both_shapes()
    {
        var problem = Refused(Inputs(_models, [1, 0, 0, 1], [1, 0, 0, 0, 1, 0, 0, 0, 1]));
        Assert.Equal("side tensor 'w' is F32 [3, 3]", problem.Found);
        Assert.Equal("a floating-point dtype [2, 2], the Gram matrix of a layer's inputs", problem.Expected);
        Assert.Contains("gram1", problem.Where);
    }

    [Fact]
    public void Gram_matrices_beyond_the_budget_are_refused_with_the_tensor()
    {
        var models = Enumerable.Range(0, 2).Select(_ => new ArrayTensor([1, 300], new float[300])).ToArray();
        var settings = EngineSettings.Of(threads: 1);
        var little = new MergeOnEngine(settings with { Run = settings.Run with { Memory = 1_000_000 } });
        var problem = Assert.Throws<MergeException>(
            () => Merge(little, new(), models, Identity(300), Identity(300))).Diagnostics.Single();
        Assert.Equal("w", problem.Where);
        Assert.Contains("computes with 2 matrices of 300×300, which takes ", problem.Found);
        Assert.StartsWith("Raise --memory to ", problem.Fix);
        Assert.Equal(models[0].Values, Merge(_onEngine, new(), models, Identity(300), Identity(300)));
    }

    [Theory]
    [InlineData("alpha: 1.5", "[0, 1]")]
    [InlineData("alpha: -0.1", "[0, 1]")]
    [InlineData("alpha: much", "alpha")]
    [InlineData("alfa: 0.5", "alpha")]
    public void Options_out_of_bounds_are_refused(string parameters, string told)
    {
        var error = Assert.Throws<MergeException>(() => MergekitMethods.Bind(
            $"{{merge_method: regmean, models: [{{model: a, parameters: {{gram_path: g}}}}], parameters: {{{parameters}}}}}"));
        Assert.True(error.WrongUsage);
        Assert.Contains(told, error.Message + string.Concat(error.Diagnostics.Select(d => $"{d.Expected} {d.Fix}")));
    }

    [Fact]
    public void A_model_without_a_file_is_refused()
    {
        var error = Assert.Throws<MergeException>(() => MergekitMethods.Bind(
            "{merge_method: regmean, models: [{model: a, parameters: {gram_path: g}}, {model: b}]}"));
        Assert.Contains("gram_path", error.Message);
    }

    private static void OfMatrices(Action<MergeCase> holds) => MergeCase.ForAll(holds, rank: 2);

    private static Diagnostic Refused(MergeInputs inputs, RegMeanOptions? options = null) => Assert.ThrowsAny<MergeException>(
        () => _onEngine.Merge(new RegMeanMerge(), options ?? new RegMeanOptions(), inputs)).Diagnostics.Single();

    private static float[] Merge(IMergeRunner runner, RegMeanOptions options, ArrayTensor[] models, params float[][] grams) =>
        runner.Merge(new RegMeanMerge(), options, Inputs(models, grams))["w"];

    private static MergeInputs Inputs(ArrayTensor[] models, params float[][] grams) => MergeInputs.OfOne(null, models) with
    {
        Sides = new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]>
        {
            ["gram"] = [.. grams.Select(g => new Dictionary<string, ArrayTensor> { ["w"] = Square(g) })],
        },
    };

    private static ArrayTensor Square(float[] values)
    {
        var size = (long)Math.Sqrt(values.Length);
        return new([size, size], values);
    }

    private static float[] Identity(int size) => [.. Enumerable.Range(0, size * size).Select(e => e % (size + 1) == 0 ? 1f : 0f)];

    // With the rows of the model for samples.
    private static float[][] Grams(MergeCase c)
    {
        var n = (int)c.Shape[1];
        return [.. c.Models.Select(m => Gram(m))];

        float[] Gram(float[] x) =>
        [
            .. from i in Enumerable.Range(0, n)
               from j in Enumerable.Range(0, n)
               select Enumerable.Range(0, c.Count / n).Sum(r => x[(r * n) + i] * x[(r * n) + j]) + (i == j ? 0.25f : 0),
        ];
    }
}

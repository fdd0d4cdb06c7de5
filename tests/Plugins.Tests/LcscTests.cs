using Merge.Plugin.Lcsc;
using Merge.Plugin.Uniform;
using Merge.Sdk;
using Plugins.Tests.Arrays;

namespace Plugins.Tests;

/// <summary>The strategy <c>lcsc</c> against the paper's formula in float64, and what it refuses.</summary>
public sealed class LcscTests
{
    private static readonly MergeOnArrays _runner = new();

    [Fact]
    public void Lcsc_is_the_papers_sum_of_differences_from_the_first() => MergeCase.ForAll(
        c =>
        {
            // Signs alternate: published optima have both.
            double?[] alpha = [null, .. c.Weights.Skip(1).Select((w, i) => i % 2 == 0 ? w : -w)];
            double[] expected = [.. Enumerable.Range(0, c.Count).Select(e => c.Models[0][e]
                + Enumerable.Range(1, c.Models.Length - 1)
                    .Sum(i => alpha[i]!.Value * ((double)c.Models[i][e] - c.Models[0][e])))];
            Near.Relative(expected, Merge(alpha, c), tolerance: 1e-5);
        });

    [Fact]
    public void Equal_models_stay_as_they_are_whatever_the_coefficients() => MergeCase.ForAll(c =>
        Near.Relative(
            [.. c.Models[0].Select(x => (double)x)],
            Merge([null, .. c.Weights.Skip(1).Select(w => (double?)w)],
                c with { Models = [.. c.Models.Select(_ => c.Models[0])] }),
            tolerance: 1e-5));

    [Fact]
    public void The_profiles_of_other_averages_are_points_of_lcsc() => MergeCase.ForAll(
        c =>
        {
            var k = c.Models.Length;
            Near.Relative(
                Reference.Averages.Uniform(c), Merge([null, .. Enumerable.Repeat((double?)1.0 / k, k - 1)], c));
            Near.Relative(
                Reference.Averages.Ema(c, 0.8),
                Merge([null, .. Coefficients.ExponentialAverage(k, 0.8).Skip(1).Select(w => (double?)w)], c));
        },
        minModels: 2);

    [Fact]
    public void One_checkpoint_alone_is_copied_bit_for_bit()
    {
        ArrayTensor[] models = [ArrayTensor.Of(1.1f, -0f), ArrayTensor.Of(2.2f, 3.3f), ArrayTensor.Of(4.4f, 5.5f)];
        Assert.Equal([4.4f, 5.5f], Merge(new(null, 0, 1), models));
        Assert.Equal([1.1f, -0f], Merge(new(null, 0, 0), models));
        Assert.Equal([1.1f, -0f], Merge(default, models[0]));
    }

    [Fact]
    public void Worked_example_holds() => Assert.Equal(
        [1f], Merge(new(null, -0.5, 1.5), ArrayTensor.Of(8), ArrayTensor.Of(4), ArrayTensor.Of(2)), Close);

    [Fact]
    public void A_first_coefficient_that_agrees_is_taken() => Assert.Equal(
        Merge(new(null, 0.25, -0.125), ArrayTensor.Of(8), ArrayTensor.Of(4), ArrayTensor.Of(2)),
        Merge(new(0.875, 0.25, -0.125), ArrayTensor.Of(8), ArrayTensor.Of(4), ArrayTensor.Of(2)));

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.87)]
    [InlineData(double.NaN)]
    public void A_first_coefficient_that_disagrees_is_refused(double first)
    {
        var error = Assert.Single(Refused(new(first, 0.25, -0.125), 3));
        Assert.Contains($"is {first:R}, the others leave 0.875", error.Found);
        Assert.Contains("follows from the others", error.Fix);
    }

    [Fact]
    public void Every_missing_coefficient_is_named() => Assert.Equal(
        ["'coefficient' is missing for model 2 of 4", "'coefficient' is missing for model 4 of 4"],
        Refused(new(null, null, 1, null), 4).Select(d => d.Found));

    private static bool Close(float x, float y) => Math.Abs(x - y) < 1e-5;

    private static float[] Merge(double?[] alpha, MergeCase c) =>
        _runner.Merge(
            new LcscMerge(), new LcscOptions { Coefficient = new(alpha) }, c.InputsWithoutBase)["w"];

    private static float[] Merge(PerModel<double?> alpha, params ArrayTensor[] models) =>
        _runner.MergeOne(new LcscMerge(), new LcscOptions { Coefficient = alpha }, null, models);

    private static IReadOnlyList<Diagnostic> Refused(PerModel<double?> alpha, int models)
    {
        var error = Assert.Throws<MergeException>(() =>
            Merge(alpha, [.. Enumerable.Range(0, models).Select(i => ArrayTensor.Of(i))]));
        Assert.True(error.WrongUsage);
        return error.Diagnostics;
    }
}

using Merge.Plugin.Mwa;
using Merge.Sdk;
using Plugins.Tests.Arrays;

namespace Plugins.Tests;

/// <summary>The strategy <c>mwa</c>: weights by hand, the identities of its kernels, what it refuses.</summary>
public sealed class MwaTests
{
    // 1 + √2 + 2.
    private const double Sum = 4.414213562373095;

    private static readonly MergeOnArrays _runner = new();
    private static readonly double[] _losses = [0.8, 0.4, 0.2];
    private static readonly double[] _steps = [100, 200, 400];

    // By hand: 1/L = 1.25, 2.5, 5; steps 100, 200, 400; m of losses 1, ⅓, 0, of steps 1, ⅔, 0.
    public static TheoryData<MwaKernel, MwaKind, double, double, double, double> Weights => new()
    {
        { MwaKernel.Power, MwaKind.Loss, 1, 1 / 7.0, 2 / 7.0, 4 / 7.0 },
        { MwaKernel.Power, MwaKind.Loss, 2, 1 / 21.0, 4 / 21.0, 16 / 21.0 },
        { MwaKernel.Power, MwaKind.Step, 1, 1 / 7.0, 2 / 7.0, 4 / 7.0 },
        { MwaKernel.Power, MwaKind.Step, 0.5, 1 / Sum, (Sum - 3) / Sum, 2 / Sum },
        { MwaKernel.Penalty, MwaKind.Loss, 1, 0, 2 / 5.0, 3 / 5.0 },
        { MwaKernel.Penalty, MwaKind.Loss, 0.5, 3 / 14.0, 5 / 14.0, 6 / 14.0 },
        { MwaKernel.Penalty, MwaKind.Step, 1, 0, 1 / 4.0, 3 / 4.0 },
        { MwaKernel.Penalty, MwaKind.Step, 1.05, -0.05 / 1.25, 0.3 / 1.25, 1 / 1.25 },
    };

    [Theory]
    [MemberData(nameof(Weights))]
    public void Weights_are_those_computed_by_hand(
        MwaKernel kernel, MwaKind kind, double pf, double first, double second, double third)
    {
        var metrics = kind is MwaKind.Loss ? _losses : _steps;
        Near(
            [first, second, third],
            MetricWeights.Of(metrics, new MwaOptions { Kernel = kernel, Kind = kind, Pf = pf }));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(2)]
    public void Softmax_is_that_of_the_scaled_metric(double tau)
    {
        double[] g = [Math.Exp(-1 / tau), Math.Exp(-1 / 3.0 / tau), 1];
        Near([.. g.Select(x => x / g.Sum())],
            MetricWeights.Of(_losses, new MwaOptions { Kernel = MwaKernel.Softmax, Tau = tau }));
    }

    [Theory]
    [InlineData(MwaKernel.Power)]
    [InlineData(MwaKernel.Penalty)]
    public void Without_a_penalty_all_checkpoints_count_the_same(MwaKernel kernel) => MergeCase.ForAll(c =>
        Plugins.Tests.Near.Relative(
            Reference.Averages.Uniform(c),
            Merge(c, new MwaOptions { Metric = new(c.Weights), Kernel = kernel, Pf = 0 })));

    [Theory]
    [InlineData(MwaKernel.Power)]
    [InlineData(MwaKernel.Penalty)]
    [InlineData(MwaKernel.Softmax)]
    public void Equal_metrics_count_the_same(MwaKernel kernel) => MergeCase.ForAll(c =>
        Plugins.Tests.Near.Relative(
            Reference.Averages.Uniform(c), Merge(c, new MwaOptions { Metric = 0.7, Kernel = kernel })));

    [Theory]
    [InlineData(MwaKernel.Power, MwaKind.Loss)]
    [InlineData(MwaKernel.Power, MwaKind.Step)]
    [InlineData(MwaKernel.Penalty, MwaKind.Loss)]
    [InlineData(MwaKernel.Penalty, MwaKind.Step)]
    [InlineData(MwaKernel.Softmax, MwaKind.Loss)]
    [InlineData(MwaKernel.Softmax, MwaKind.Step)]
    public void Weights_add_to_one_and_follow_the_metric(MwaKernel kernel, MwaKind kind) => MergeCase.ForAll(c =>
    {
        var weights = MetricWeights.Of(c.Weights, new MwaOptions { Kernel = kernel, Kind = kind, Pf = 0.7 });
        Assert.Equal(1, weights.Sum(), 1e-12);
        for (var i = 1; i < weights.Length; i++)
        {
            var better = kind is MwaKind.Loss ? c.Weights[i - 1] - c.Weights[i] : c.Weights[i] - c.Weights[i - 1];
            Assert.Equal(Math.Sign(better), Math.Abs(weights[i] - weights[i - 1]) < 1e-12 ? 0
                : Math.Sign(weights[i] - weights[i - 1]));
        }
    });

    [Fact]
    public void A_metrics_unit_does_not_matter() => MergeCase.ForAll(c =>
    {
        foreach (var kernel in Enum.GetValues<MwaKernel>())
        {
            var options = new MwaOptions { Kernel = kernel };
            Near(MetricWeights.Of(c.Weights, options),
                MetricWeights.Of([.. c.Weights.Select(w => w * 1e200)], options));
        }
    });

    [Fact]
    public void Merge_is_the_weighted_average()
    {
        var merged = _runner.MergeOne(
            new MwaMerge(), new MwaOptions { Metric = new(_losses) }, null, [.. Trajectory()]);
        Assert.Equal(((8 * 1) + (4 * 2) + (1 * 4)) / 7.0, merged[0], 1e-6);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    public void A_metric_without_a_power_is_named(double metric)
    {
        var error = Refused(new MwaOptions { Metric = new(metric, 1, metric) });
        Assert.Equal(
            new[] { 1, 3 }.Select(model => $"'metric' of model {model} of 3 is {metric:R}, which has no power"),
            error.Select(d => d.Found));
        Assert.Contains("kernel: penalty", error[0].Fix);
    }

    [Fact]
    public void Weights_that_cancel_are_refused()
    {
        var error = Assert.Single(Refused(
            new MwaOptions { Metric = new(1, 1, 0), Kernel = MwaKernel.Penalty, Pf = 1.5 }));
        Assert.Contains("with pf 1.5 the weights of mwa add up to 0", error.Found);
    }

    private static ArrayTensor[] Trajectory() => [ArrayTensor.Of(8), ArrayTensor.Of(4), ArrayTensor.Of(1)];

    private static float[] Merge(MergeCase c, MwaOptions options) =>
        _runner.Merge(new MwaMerge(), options, c.InputsWithoutBase)["w"];

    private static IReadOnlyList<Diagnostic> Refused(MwaOptions options)
    {
        var error = Assert.Throws<MergeException>(() => _runner.MergeOne(new MwaMerge(), options, null, Trajectory()));
        Assert.True(error.WrongUsage);
        return error.Diagnostics;
    }

    private static void Near(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 1e-12));
    }
}

using Plugins.Tests.Arrays;

namespace Plugins.Tests.Golden;

/// <summary>Values that mergekit computed, within the tolerance tests/Golden/README.md states.</summary>
public abstract class GoldenTests
{
    private const double Tolerance = 5e-7;

    private protected abstract IMergeRunner Runner { get; }

    [Theory]
    [InlineData("linear_norm")]
    [InlineData("linear_nonorm")]
    [InlineData("task_arithmetic")]
    [InlineData("task_arithmetic_norm")]
    [InlineData("ties_d05")]
    [InlineData("ties_d05_nonorm_lambda")]
    [InlineData("breadcrumbs")]
    [InlineData("breadcrumbs_ties_hi")]
    public void Result_is_that_of_the_reference_implementation(string name)
    {
        var golden = new GoldenCase(name);
        var (strategy, options) = golden.Method();
        var merged = Runner.Merge(strategy, options, golden.Inputs);
        Assert.Equal(golden.Expected.Keys.Order(), merged.Keys.Order());
        foreach (var (tensor, expected) in golden.Expected)
            Near.All(expected.Values, merged[tensor], Tolerance, tensor);
    }

    [Theory]
    [InlineData("dare_linear")]
    [InlineData("dare_ties")]
    [InlineData("della")]
    public void Random_methods_draw_from_the_reference_implementations_distribution(string name)
    {
        const int draws = 150;
        var golden = new GoldenCase(name);
        var (strategy, options) = golden.Method();
        var merges = Enumerable.Range(0, draws)
            .Select(seed => Runner.Merge(strategy, options, golden.Inputs with { Seed = (ulong)seed }))
            .ToList();
        var distribution = golden.Distribution;
        var meanError = Math.Sqrt((1.0 / draws) + (1.0 / golden.Draws));
        foreach (var (tensor, theta0) in golden.Inputs.Base!)
        {
            var (mean, deviation) = (distribution["mean|" + tensor].Values, distribution["std|" + tensor].Values);
            for (var e = 0; e < mean.Length; e++)
            {
                var difference = Math.Abs(merges.Average(m => (double)m[tensor][e]) - mean[e]);
                Assert.True(
                    difference <= (6 * deviation[e] * meanError) + Tolerance, $"{tensor}[{e}] is {difference} off");
            }
            var changed = merges.Average(m => m[tensor].Zip(theta0.Values).Average(p => p.First != p.Second ? 1.0 : 0));
            var shareError = 0.5 * meanError / Math.Sqrt(mean.Length);
            Assert.InRange(changed - golden.ShareChanged(tensor), -5 * shareError, 5 * shareError);
        }
    }
}

public sealed class GoldenTestsOnArrays : GoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

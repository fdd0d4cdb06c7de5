using Plugins.Tests.Arrays;

namespace Plugins.Tests.Golden;

/// <summary>
/// Values that mergekit computed, from recipes in its words, within the tolerance tests/Golden/README.md states.
/// </summary>
public abstract class MergekitGoldenTests
{
    private const double Tolerance = 5e-7;

    private protected abstract IMergeRunner Runner { get; }

    [Theory]
    [InlineData("slerp_t03")]
    [InlineData("nuslerp_flat")]
    [InlineData("nuslerp_flat_base")]
    [InlineData("nuslerp_rowwise")]
    [InlineData("multislerp")]
    [InlineData("multislerp_base")]
    [InlineData("karcher")]
    [InlineData("model_stock")]
    [InlineData("model_stock_fw")]
    [InlineData("sce_k01")]
    [InlineData("sce_k10")]
    [InlineData("ram")]
    [InlineData("ramplus_tl")]
    [InlineData("nearswap")]
    [InlineData("passthrough_scale")]
    public void Result_is_that_of_the_reference_implementation(string name)
    {
        var golden = new GoldenCase(name);
        var (strategy, options) = MergekitCase.Method(name);
        var merged = Runner.Merge(strategy, options, golden.Inputs);
        Assert.Equal(golden.Expected.Keys.Order(), merged.Keys.Order());
        foreach (var (tensor, expected) in golden.Expected)
            Near.All(expected.Values, merged[tensor], Tolerance, tensor);
    }

    [Fact]
    public void Arcee_fusion_is_that_of_the_reference_implementation_but_for_three_elements()
    {
        var golden = new GoldenCase("arcee_fusion");
        var (strategy, options) = MergekitCase.Method("arcee_fusion");
        var merged = Runner.Merge(strategy, options, golden.Inputs);
        var flipped = golden.Expected.Sum(t => t.Value.Values.Zip(merged[t.Key])
            .Count(p => Math.Abs((double)p.First - p.Second) > Tolerance));
        Assert.InRange(flipped, 0, 3);
    }
}

public sealed class MergekitGoldenTestsOnArrays : MergekitGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

using Plugins.Tests.Arrays;
using Plugins.Tests.Engine;

namespace Plugins.Tests.Golden;

/// <summary>Values that numpy computed from the paper's formula, within the tolerance tests/Golden/README.md states.</summary>
public abstract class RegMeanGoldenTests
{
    private const double Tolerance = 5e-7;

    private protected abstract IMergeRunner Runner { get; }

    [Theory]
    [InlineData("regmean")]
    [InlineData("regmean_diagonal")]
    [InlineData("regmean_plain")]
    public void Result_is_that_of_numpy(string name)
    {
        var golden = new GoldenCase(name);
        var (strategy, options) = MergekitCase.Method(name);
        var merged = Runner.Merge(strategy, options, Inputs(golden));
        Assert.Equal(golden.Expected.Keys.Order(), merged.Keys.Order());
        foreach (var (tensor, expected) in golden.Expected)
            Near.All(expected.Values, merged[tensor], Tolerance, tensor);
    }

    internal static MergeInputs Inputs(GoldenCase golden)
    {
        var grams = Enumerable.Range(1, 3).Select(i => GoldenCase.Input($"inputs/ft{i}.gram.f32.safetensors"));
        return golden.Inputs with
        {
            Sides = new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]> { ["gram"] = [.. grams] },
        };
    }
}

public sealed class RegMeanGoldenTestsOnArrays : RegMeanGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

public sealed class RegMeanGoldenTestsOnEngine : RegMeanGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of(threads: 2, blockBytes: 4096));

    [Fact]
    public void Threads_and_blocks_change_no_bit()
    {
        var (strategy, options) = MergekitCase.Method("regmean");
        var inputs = Inputs(new GoldenCase("regmean"));
        var one = new MergeOnEngine(EngineSettings.Of(threads: 1)).Bytes(strategy, options, inputs);
        var many = new MergeOnEngine(EngineSettings.Of(threads: 3, blockBytes: 2048)).Bytes(strategy, options, inputs);
        Assert.All(one, t => Assert.Equal(t.Value, many[t.Key]));
    }
}

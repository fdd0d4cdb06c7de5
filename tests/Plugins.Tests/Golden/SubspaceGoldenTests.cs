using Plugins.Tests.Arrays;
using Plugins.Tests.Engine;

namespace Plugins.Tests.Golden;

/// <summary>Values that numpy computed from the papers' formulas, within the tolerance tests/Golden/README.md states.</summary>
public abstract class SubspaceGoldenTests
{
    private const double Tolerance = 1e-6;

    private protected abstract IMergeRunner Runner { get; }

    [Theory]
    [InlineData("iso_c")]
    [InlineData("iso_cts")]
    [InlineData("iso_cts_half")]
    [InlineData("tsv_merge")]
    [InlineData("subspace_boosting")]
    [InlineData("subspace_boosting_ties")]
    public void Result_is_that_of_numpy(string name)
    {
        var golden = new GoldenCase(name);
        var (strategy, options) = MergekitCase.Method(name);
        var merged = Runner.Merge(strategy, options, golden.Inputs);
        Assert.Equal(golden.Expected.Keys.Order(), merged.Keys.Order());
        foreach (var (tensor, expected) in golden.Expected)
            Near.All(expected.Values, merged[tensor], Tolerance, tensor);
    }
}

public sealed class SubspaceGoldenTestsOnArrays : SubspaceGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

public sealed class SubspaceGoldenTestsOnEngine : SubspaceGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnEngine(EngineSettings.Of(threads: 2, blockBytes: 4096));
}

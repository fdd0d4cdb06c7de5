using Merge.Testing.Engine;

namespace Merge.Testing.Rules;

internal sealed class BlocksRule : IStrategyRule
{
    public ConformanceRule Rule => ConformanceRule.Blocks;

    public string LookAt => "fields and statics that Plan writes (state: no two runs are alike then); kernels of Map that take their span for a "
        + "whole row or tensor, or carry a value from one call to the next";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        var inputs = subject.Models(TestValues.Shapes);
        var expected = subject.Merge(inputs);
        foreach (var bytes in (int[])[64, 4096])
        {
            var merged = subject.Merge(inputs, new EngineSettings { BlockBytes = bytes });
            if (Difference.OfBits(expected, merged) is { } found)
                yield return new(Rule, $"in blocks of {bytes} bytes other bits come out than in large ones: {found}", LookAt);
        }
    }
}

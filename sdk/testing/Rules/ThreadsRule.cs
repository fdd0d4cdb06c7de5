using Merge.Testing.Engine;

namespace Merge.Testing.Rules;

internal sealed class ThreadsRule : IStrategyRule
{
    public ConformanceRule Rule => ConformanceRule.Threads;

    public string LookAt => "fields and statics that Plan, Survey or a kernel of Map writes: one instance plans many tensors at once";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        var inputs = subject.Models(TestValues.Shapes);
        var expected = subject.Merge(inputs, new EngineSettings { Threads = 1, BlockBytes = 4096 });
        var merged = subject.Merge(inputs, new EngineSettings { Threads = 5, BlockBytes = 4096 });
        if (Difference.OfBits(expected, merged) is { } found)
            yield return new(Rule, $"on five threads other bits come out than on one: {found}", LookAt);
    }
}

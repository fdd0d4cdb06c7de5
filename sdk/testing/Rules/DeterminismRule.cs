namespace Merge.Testing.Rules;

internal sealed class DeterminismRule : IStrategyRule
{
    public ConformanceRule Rule => ConformanceRule.Determinism;

    public string LookAt => "fields and statics that Plan writes (state); System.Random, clocks and hash codes of strings: draw by "
        + "b.Uniform(stream), which the recipe's seed fixes";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        var inputs = subject.Models(TestValues.Shapes);
        if (Difference.OfBits(subject.Merge(inputs), subject.Merge(inputs)) is { } found)
            yield return new(Rule, $"the same merge gives other bits the second time: {found}", LookAt);
    }
}

namespace Merge.Testing.Rules;

internal sealed class IdentityRule : IStrategyRule
{
    public ConformanceRule Rule => ConformanceRule.Identity;

    public string LookAt => "weights that do not add up to 1 where there is no base, an ε that is added to more than a "
        + "divisor, 0/0 where all task vectors are 0";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        var inputs = subject.Equal(TestValues.Shapes);
        var expected = inputs.Models[0].ToDictionary(t => t.Key, t => t.Value.Values);
        if (Difference.Beyond(subject.Tolerance, expected, subject.Merge(inputs)) is { } found)
            yield return new(Rule, $"all inputs are equal, and the output is not: {found}", LookAt);
    }
}

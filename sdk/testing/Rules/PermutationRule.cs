namespace Merge.Testing.Rules;

internal sealed class PermutationRule : IStrategyRule
{
    public ConformanceRule Rule => ConformanceRule.Permutation;

    public string LookAt => "formulas that treat Models[0] or Deltas[0] apart, ties broken by the model's number, a stream of "
        + "random numbers for each model, fields and statics that Plan writes (state); set Symmetric to false where the method is meant to mind the order";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        if (!subject.Symmetric)
            yield break;
        var inputs = subject.Models(TestValues.Shapes);
        var turned = inputs with
        {
            Models = [.. inputs.Models.Reverse()],
            Sides = inputs.Sides.ToDictionary(
                s => s.Key, s => (IReadOnlyList<IReadOnlyDictionary<string, TestTensor>?>)[.. s.Value.Reverse()]),
        };
        var options = PerModelValues.Reversed(subject);
        if (Difference.Beyond(subject.Tolerance, subject.Merge(inputs), subject.Merge(turned, options: options)) is { } found)
            yield return new(Rule, $"the models in reverse order give something else: {found}", LookAt);
    }
}

using Merge.Sdk;

namespace Merge.Testing.Rules;

internal sealed class NotANumberRule : IStrategyRule
{
    public ConformanceRule Rule => ConformanceRule.NotANumber;

    public string LookAt => "comparisons, which are false for a NaN: with Select or Masked they replace it by a number; or a model that is "
        + "not used. Let it through: a broken model must not look like a sound one";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        var inputs = subject.Models(TestValues.Shapes);
        string[] hidden =
        [
            .. from model in Enumerable.Range(subject.HasBase ? -1 : 0, subject.ModelCount + (subject.HasBase ? 1 : 0))
               from name in TestValues.Shapes.Keys
               where Hides(subject, Broken(inputs, model, name), name)
               select $"{(model < 0 ? "the base" : $"model {model}")} in '{name}'",
        ];
        if (hidden.Length > 0)
        {
            yield return new(Rule, $"half a tensor of NaN in {hidden[0]} does not show in the output"
                + (hidden.Length > 1 ? $", nor in {hidden.Length - 1} other places" : ""), LookAt);
        }
    }

    private static bool Hides(Subject subject, TestModels broken, string name)
    {
        try
        {
            return subject.Merge(broken)[name].All(float.IsFinite);
        }
        catch (MergeException)
        {
            return false;
        }
    }

    private static float[] Half(float[] values) =>
        [.. values.Select((v, e) => e < (values.Length + 1) / 2 ? float.NaN : v)];

    private static TestModels Broken(TestModels inputs, int model, string name)
    {
        return model < 0
            ? inputs with { Base = Break(inputs.Base!) }
            : inputs with { Models = [.. inputs.Models.Select((m, i) => i == model ? Break(m) : m)] };

        Dictionary<string, TestTensor> Break(IReadOnlyDictionary<string, TestTensor> checkpoint) => checkpoint.ToDictionary(
            t => t.Key,
            t => t.Key == name ? t.Value with { Values = Half(t.Value.Values) } : t.Value);
    }
}

using System.Globalization;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Testing.Rules;

internal sealed class OptionsRule : IStrategyRule
{
    public ConformanceRule Rule => ConformanceRule.Options;

    public string LookAt => "the [Parameter] and [Searchable] attributes of the options record";

    public IEnumerable<ConformanceFinding> Check(Subject subject)
    {
        if (TakenIds.IsTakenBy(subject.Strategy))
        {
            yield return new(Rule, $"the id '{subject.Strategy.Info.Id}' is that of a method of Merge's own, which keeps it: this one would "
                + "never run", "the Info property: an id that 'merge plugins' does not list");
        }
        foreach (var finding in Unmarked.In(subject.Strategy.OptionsType))
            yield return finding;
        foreach (var parameter in subject.Schema.Parameters.Where(p => p.Bounds is not null && !p.IsArray))
        {
            foreach (var value in Outside(parameter).Where(v => Takes(subject, parameter, v)))
            {
                yield return new(Rule, $"'{parameter.Name}' takes {Text(value)}, which is outside {parameter.Bounds!.Text}",
                    "the Bounds of its [Parameter]");
            }
            foreach (var value in Ends(parameter))
            {
                if (!Takes(subject, parameter, value))
                    yield return new(Rule, $"'{parameter.Name}' does not take {Text(value)}, an end of its own range", LookAt);
                else if (Fails(subject, parameter, value) is { } found)
                    yield return found;
            }
        }
    }

    private ConformanceFinding? Fails(Subject subject, ParameterSchema parameter, double value)
    {
        var at = $"with {parameter.Name} = {Text(value)}";
        try
        {
            var merged = subject.MergeInOrder(
                subject.Models(TestValues.Shapes), OptionsCopy.With(subject.Options, parameter, value));
            foreach (var (name, values) in merged)
            {
                if (Array.FindIndex(values, v => !float.IsFinite(v)) is >= 0 and var e)
                {
                    return new(Rule, $"{at}, element {e} of '{name}' is {values[e]}, from finite inputs",
                        "divisors that become 0 and roots of negative numbers at this end of the range; exclude the end in Bounds");
                }
            }
        }
        catch (Exception e)
        {
            // Null where it is refused in words: the author has thought of it.
            return subject.Fault(Rule, e, $"{at}: ") is { } fault
                ? fault with
                {
                    LookAt = $"{fault.LookAt.TrimEnd('.')}: refuse in words by a MergeException, or exclude this end in Bounds",
                }
                : null;
        }
        return null;
    }

    private static IEnumerable<double> Outside(ParameterSchema parameter)
    {
        var bounds = parameter.Bounds!;
        var step = parameter.ScalarType == typeof(double) ? 0.125 : 1.0;
        if (double.IsFinite(bounds.Low))
            yield return bounds.LowIncluded ? bounds.Low - Math.Max(step, Math.Abs(bounds.Low) / 8) : bounds.Low;
        if (double.IsFinite(bounds.High))
            yield return bounds.HighIncluded ? bounds.High + Math.Max(step, Math.Abs(bounds.High) / 8) : bounds.High;
    }

    private static IEnumerable<double> Ends(ParameterSchema parameter)
    {
        var bounds = parameter.Bounds!;
        List<double> ends = [];
        if (bounds.LowIncluded)
            ends.Add(bounds.Low);
        if (bounds.HighIncluded)
            ends.Add(bounds.High);
        if (parameter.Searchable is { } search)
            ends.AddRange([search.Low, search.High]);
        return ends.Where(double.IsFinite).Distinct();
    }

    /// <summary>Whether a recipe may give the parameter this value.</summary>
    private static bool Takes(Subject subject, ParameterSchema parameter, double value)
    {
        var text = $"merge_method: {subject.Strategy.Info.Id}\n"
            + $"models: [{string.Join(", ", Enumerable.Range(1, subject.ModelCount))}]\n"
            + $"parameters: {{{parameter.Name}: {Text(value)}}}\n";
        try
        {
            var recipe = RecipeParser.Parse("recipe.yaml", text);
            var binder = new OptionsBinder(subject.Schema, recipe, subject.Strategy.Info.Id, _ => []);
            binder.ThrowIfAny();
            return true;
        }
        catch (MergeException)
        {
            return false;
        }
    }

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}

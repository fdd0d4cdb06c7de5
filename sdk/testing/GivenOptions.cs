using System.Collections;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Testing;

/// <summary>An options record that a test has filled: held to what a recipe is held to, since nothing else is ever planned with.</summary>
internal static class GivenOptions
{
    /// <summary>What a recipe could not have given; empty where all is well.</summary>
    /// <param name="strategy">Whose options they should be.</param>
    /// <param name="options">The record.</param>
    /// <param name="models">The method's models, as many values a parameter per model needs.</param>
    /// <exception cref="MergeException">The record's attributes cannot work.</exception>
    public static IReadOnlyList<Diagnostic> Wrong(MergeStrategy strategy, object options, int models) =>
        strategy.OptionsType.IsInstanceOfType(options)
            ? [.. OptionsSchema.Of(strategy.OptionsType).Parameters.SelectMany(p => Wrong(p, options, models))]
            :
            [
                new Diagnostic($"the options are a {options.GetType().Name}")
                {
                    Expected = $"a {strategy.OptionsType.Name}, as {strategy.GetType().Name} says",
                },
            ];

    private static IEnumerable<Diagnostic> Wrong(ParameterSchema parameter, object options, int models)
    {
        var value = parameter.Property.GetValue(options);
        if (!parameter.IsPerModel)
            return Wrong(parameter, parameter.Name, value);
        object? Of(int model) => parameter.Property.PropertyType.GetProperty("Item")!.GetValue(value, [model]);
        try
        {
            return [.. Enumerable.Range(0, models).Select(Of).Distinct().SelectMany(v => Wrong(parameter, parameter.Name, v))];
        }
        catch (System.Reflection.TargetInvocationException e) when (e.InnerException is ArgumentOutOfRangeException)
        {
            return [new Diagnostic($"'{parameter.Name}' has fewer values than there are models") { Expected = $"one, or {models}" }];
        }
    }

    private static IEnumerable<Diagnostic> Wrong(ParameterSchema parameter, string name, object? value)
    {
        if (parameter.IsArray && value is IEnumerable items)
            return items.Cast<object?>().SelectMany((item, i) => Scalar(parameter, $"{name}[{i}]", item));
        return value is null && parameter.IsNullable ? [] : Scalar(parameter, name, value);
    }

    private static IEnumerable<Diagnostic> Scalar(ParameterSchema parameter, string name, object? value)
    {
        var text = value is null ? "" : ParameterText.Write(value);
        if (value is null || !ParameterText.TryRead(new(text, false, 0), parameter.ScalarType, parameter.Bounds, out _))
        {
            yield return new Diagnostic(value is null ? $"'{name}' has no value" : $"'{name}' is {RecipeText.Quote(text)}")
            {
                Expected = parameter.Expected,
            };
        }
    }
}

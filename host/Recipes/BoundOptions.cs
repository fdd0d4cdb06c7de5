using System.Reflection;
using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>The parameters of a method with their values, valid, and where each value comes from.</summary>
/// <param name="Warnings">What the recipe gives and the method does not use.</param>
internal sealed record BoundOptions(
    OptionsSchema Schema, IReadOnlyList<BoundParameter> Parameters, IReadOnlyList<Diagnostic> Warnings)
{
    public BoundParameter this[string name] => Parameters.First(p => p.Schema.Name == name);

    /// <summary>A new options record that holds the values. Records are immutable: one may serve all tensors.</summary>
    /// <exception cref="MergeException">The record refuses a value.</exception>
    public object Create()
    {
        var options = Activator.CreateInstance(Schema.Type)!;
        foreach (var parameter in Parameters.Where(p => p.Values.Any(v => v.Line is not null)))
        {
            var property = parameter.Schema.Property;
            try
            {
                property.SetValue(options, ClrValue(parameter));
            }
            catch (TargetInvocationException exception)
            {
                throw exception.InnerException as MergeException ?? MergeException.Plugin(
                    $"it refused a valid value: {exception.InnerException?.Message}",
                    "bounds in [Parameter] instead", $"{Schema.Type.FullName}.{property.Name}");
            }
        }
        return options;
    }

    private static object? ClrValue(BoundParameter parameter)
    {
        if (!parameter.Schema.IsPerModel)
            return parameter.Values[0].Value;
        var each = Array.CreateInstance(parameter.Schema.ClrType, parameter.Values.Count);
        for (var i = 0; i < each.Length; i++)
            each.SetValue(parameter.Values[i].Value, i);
        return Activator.CreateInstance(parameter.Schema.Property.PropertyType, [each]);
    }
}

/// <param name="Values">One; of a parameter per model one for each of the method's models.</param>
internal sealed record BoundParameter(ParameterSchema Schema, IReadOnlyList<BoundValue> Values);

/// <param name="Line">The recipe's line it comes from; null: the default.</param>
internal readonly record struct BoundValue(object? Value, int? Line);

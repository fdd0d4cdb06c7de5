using System.Reflection;
using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>The parameters of a method with their final values, and where each value comes from.</summary>
internal sealed class BoundOptions(OptionsSchema schema, IReadOnlyList<BoundParameter> parameters)
{
    private readonly Lazy<object> _options = new(() => Create(schema, parameters));

    /// <summary>In the order of the schema.</summary>
    public IReadOnlyList<BoundParameter> Parameters => parameters;

    /// <summary>An options record that holds the values. Records are immutable: one serves all tensors.</summary>
    /// <exception cref="MergeException">The record refuses a value.</exception>
    public object Options => _options.Value;

    public BoundParameter this[string name] => parameters.First(p => p.Schema.Name == name);

    private static object Create(OptionsSchema schema, IReadOnlyList<BoundParameter> parameters)
    {
        var options = Activator.CreateInstance(schema.Type)!;
        foreach (var parameter in parameters.Where(p => p.Values.Any(v => v.Line is not null)))
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
                    "bounds in [Parameter] instead", $"{schema.Type.FullName}.{property.Name}");
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

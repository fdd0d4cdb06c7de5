using System.Reflection;
using Merge.Recipes;

namespace Merge.Testing.Rules;

/// <summary>A record of options with one value changed.</summary>
internal static class OptionsCopy
{
    /// <summary>The same values in a new object.</summary>
    public static object Of(object options)
    {
        var copy = Activator.CreateInstance(options.GetType())!;
        foreach (var field in Fields(options.GetType()))
            field.SetValue(copy, field.GetValue(options));
        return copy;
    }

    /// <summary>A numeric parameter with another value, for every model where it is per model.</summary>
    public static object With(object options, ParameterSchema parameter, double value)
    {
        var copy = Of(options);
        var scalar = Convert.ChangeType(value, parameter.ScalarType);
        object? given = parameter.IsPerModel
            ? typeof(OptionsCopy).GetMethod(nameof(Every), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(parameter.ClrType).Invoke(null, [scalar])
            : scalar;
        parameter.Property.SetValue(copy, given);
        return copy;
    }

    private static Sdk.PerModel<T> Every<T>(T value) => value;

    private static IEnumerable<FieldInfo> Fields(Type? type) => type is null || type == typeof(object)
        ? []
        : type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Concat(Fields(type.BaseType));
}

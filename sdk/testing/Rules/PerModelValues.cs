using System.Reflection;
using Merge.Sdk;

namespace Merge.Testing.Rules;

/// <summary>Options for the models in reverse order.</summary>
internal static class PerModelValues
{
    public static object Reversed(Subject subject)
    {
        var copy = OptionsCopy.Of(subject.Options);
        foreach (var parameter in subject.Schema.Parameters.Where(p => p.IsPerModel))
        {
            typeof(PerModelValues).GetMethod(nameof(Reverse), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(parameter.ClrType)
                .Invoke(null, [parameter.Property, copy, subject.ModelCount]);
        }
        return copy;
    }

    private static void Reverse<T>(PropertyInfo property, object options, int models)
    {
        var values = (PerModel<T>)property.GetValue(options)!;
        property.SetValue(options, new PerModel<T>([.. values.ToList(models).Reverse()]));
    }
}

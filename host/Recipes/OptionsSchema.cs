using System.Reflection;
using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>The parameters of an options record, read from its attributes once.</summary>
internal sealed class OptionsSchema
{
    private OptionsSchema(Type type, IReadOnlyList<ParameterSchema> parameters) =>
        (Type, Parameters) = (type, parameters);

    /// <summary>The options record.</summary>
    public Type Type { get; }

    /// <summary>In the order of declaration.</summary>
    public IReadOnlyList<ParameterSchema> Parameters { get; }

    public ParameterSchema? Find(string name) => Parameters.FirstOrDefault(p => p.Name == name);

    /// <summary>Every fault of the author's in a record; empty where its schema can be read.</summary>
    public static IReadOnlyList<Diagnostic> Faults(Type type)
    {
        try
        {
            Of(type);
            return [];
        }
        catch (MergeException faults)
        {
            return faults.Diagnostics;
        }
    }

    /// <summary>Reads a record's schema.</summary>
    /// <exception cref="MergeException">Attributes or types that cannot work: every fault of the author's.</exception>
    public static OptionsSchema Of(Type type)
    {
        object defaults;
        try
        {
            defaults = Activator.CreateInstance(type)!;
        }
        catch (Exception exception) when (exception is TargetInvocationException or MissingMethodException)
        {
            var reason = (exception.InnerException ?? exception).Message;
            throw MergeException.Plugin($"the options record {type.FullName} cannot be created: {reason}",
                "a public constructor without parameters that does not throw");
        }
        var faults = new List<Diagnostic>();
        var parameters = new List<ParameterSchema>();
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var reader = new ParameterReader(property, defaults, faults);
            if (reader.Read() is not { } parameter)
                continue;
            if (parameters.Any(p => p.Name == parameter.Name))
                reader.Fault($"its name '{parameter.Name}' is another parameter's too", "a name of its own");
            parameters.Add(parameter);
        }
        if (faults.Count > 0)
            throw new MergeException(faults);
        return new(type, parameters);
    }
}

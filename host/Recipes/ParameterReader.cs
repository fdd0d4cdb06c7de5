using System.Reflection;
using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Reads one property of an options record; what cannot work is a fault of the plugin's author.</summary>
internal sealed class ParameterReader(PropertyInfo property, object defaults, List<Diagnostic> faults)
{
    private int _faultsBefore;

    /// <summary>The parameter; null where the property is none, or has faults.</summary>
    public ParameterSchema? Read()
    {
        _faultsBefore = faults.Count;
        var attribute = property.GetCustomAttribute<ParameterAttribute>();
        var searchable = property.GetCustomAttribute<SearchableAttribute>();
        var side = property.GetCustomAttribute<SideInputAttribute>();
        if (attribute is null)
        {
            if (searchable is not null || side is not null)
                Fault("[Searchable] and [SideInput] describe a parameter", "[Parameter] beside them");
            return null;
        }

        var isPerModel = IsPerModelType(property.PropertyType);
        var type = isPerModel ? property.PropertyType.GetGenericArguments()[0] : property.PropertyType;
        if (!IsSupported(type))
        {
            Fault($"its type {property.PropertyType.Name} cannot be a parameter's",
                "double, int, long, bool, string, an enum, an array or a nullable of those, or PerModel of one of them");
            return null;
        }
        if (property.SetMethod is not { IsPublic: true } || property.GetMethod is not { IsPublic: true })
        {
            Fault("it cannot be set", "public get and init (or set)");
            return null;
        }
        var name = attribute.Name ?? ParameterText.SnakeCase(property.Name);
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'))
            Fault($"its name {RecipeText.Quote(name)} cannot be a parameter's", "lower-case letters, digits and '_'");
        var bounds = ReadBounds(attribute, ParameterSchema.ScalarOf(type));
        var parameter = new ParameterSchema(property, name, attribute.Text, type, isPerModel, bounds,
            ReadDefault(isPerModel), attribute.Required, searchable, side);
        CheckDefault(parameter);
        CheckSearch(parameter);
        if (side is not null && (!isPerModel || type != typeof(string)))
            Fault("[SideInput] names a file for each model", "a property of type PerModel<string?>");
        return faults.Count == _faultsBefore ? parameter : null;
    }

    public void Fault(string found, string expected) => faults.Add(new Diagnostic(found)
    {
        Actor = Actor.PluginAuthor,
        Expected = expected,
        Where = $"{property.DeclaringType!.FullName}.{property.Name}",
    });

    private static bool IsPerModelType(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(PerModel<>);

    private static bool IsSupported(Type type)
    {
        if (type.IsArray && type.GetArrayRank() > 1)
            return false;
        var scalar = ParameterSchema.ScalarOf(type);
        return scalar == typeof(double) || IsWhole(scalar) || scalar == typeof(bool) || scalar == typeof(string)
            || scalar.IsEnum;
    }

    private static bool IsWhole(Type type) => type == typeof(int) || type == typeof(long);

    private Interval? ReadBounds(ParameterAttribute attribute, Type scalar)
    {
        var isNumber = scalar == typeof(double) || IsWhole(scalar);
        if (attribute.Bounds is null)
            return isNumber ? Interval.Finite : null;
        if (!isNumber)
            Fault("it has bounds and is no number", "no bounds");
        else if (Interval.Parse(attribute.Bounds) is { } bounds)
            return bounds;
        else
            Fault($"its bounds {RecipeText.Quote(attribute.Bounds)} are no interval",
                "for example \"[0, 1]\" or \"(0, inf)\"");
        return isNumber ? Interval.Finite : null;
    }

    private object? ReadDefault(bool isPerModel)
    {
        try
        {
            var value = property.GetValue(defaults);
            return isPerModel ? property.PropertyType.GetProperty("Item")!.GetValue(value, [0]) : value;
        }
        catch (TargetInvocationException exception)
        {
            Fault($"its initial value cannot be read: {exception.InnerException?.Message}",
                "one value, the same for every model");
            return null;
        }
    }

    private void CheckDefault(ParameterSchema parameter)
    {
        if (parameter is { Required: false, IsArray: false, Default: double or int or long, Bounds: { } bounds }
            && !bounds.Contains(Convert.ToDouble(parameter.Default)))
        {
            Fault($"its default {parameter.Default} is not in its bounds {bounds.Text}",
                "a valid default, or Required = true");
        }
    }

    private void CheckSearch(ParameterSchema parameter)
    {
        if (parameter.Searchable is not { } search)
            return;
        if (parameter.Bounds is not { } bounds || parameter.IsArray)
            Fault("[Searchable] is on a parameter that is no number", "double, int or long");
        else if (!(search.Low < search.High) || !bounds.Contains(search.Low) || !bounds.Contains(search.High))
            Fault($"its search range {search.Low} to {search.High} is not within {bounds.Text}",
                "low < high, both valid");
        else if (search.Scale is SearchScale.Logarithmic && search.Low <= 0)
            Fault($"its search range starts at {search.Low} on a logarithmic scale", "a positive range");
        else if (search.ExceptFirst && !parameter.IsPerModel)
            Fault("[Searchable] leaves out the first model, and it is no parameter per model", "a PerModel<double>");
    }
}

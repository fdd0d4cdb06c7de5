using System.Globalization;
using System.Text.Json;
using Merge.Recipes;

namespace Merge.Commands;

/// <summary>A parameter's value as a recipe would write it.</summary>
internal static class ValueText
{
    public static string Of(object? value) => value switch
    {
        null => "none",
        bool flag => flag ? "true" : "false",
        Enum choice => ParameterText.SnakeCase(choice.ToString()),
        Array list => $"[{string.Join(", ", list.Cast<object?>().Select(Of))}]",
        double number => number.ToString("G6", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    /// <summary>The same as a property: numbers and bools as such, in full.</summary>
    public static void Write(Utf8JsonWriter json, string name, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNull(name);
                break;
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(name, number);
                break;
            case int or long:
                json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            default:
                json.WriteString(name, Of(value));
                break;
        }
    }
}

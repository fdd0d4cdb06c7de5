using System.Globalization;
using System.Text.Json;

namespace Merge.Recipes;

/// <summary>Reads one value of a parameter from the recipe's text.</summary>
internal static class ParameterText
{
    /// <summary>The name of a property or an enum member in a recipe.</summary>
    public static string SnakeCase(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    /// <summary>What a value of this type looks like, in words.</summary>
    public static string Expected(Type type, Interval? bounds) => type switch
    {
        _ when type == typeof(double) => (bounds ?? Interval.Finite).Describe("a number"),
        _ when type == typeof(int) || type == typeof(long) => (bounds ?? Interval.Finite).Describe("a whole number"),
        _ when type == typeof(bool) => "true or false",
        _ when type.IsEnum => $"one of {string.Join(", ", EnumNames(type))}",
        _ => "text",
    };

    /// <summary>A scalar as a recipe writes it.</summary>
    public static string Write(object value) => value switch
    {
        double.PositiveInfinity => "inf",
        double.NegativeInfinity => "-inf",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        Enum choice => SnakeCase($"{choice}"),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>Reads a scalar; false where it is not of the type or not in the bounds.</summary>
    /// <param name="type">A scalar type, see <see cref="ParameterSchema.ScalarType"/>.</param>
    public static bool TryRead(ParameterScalar scalar, Type type, Interval? bounds, out object value)
    {
        value = scalar.Text;
        if (type == typeof(string))
            return true;
        if (type.IsEnum)
            return TryEnum(scalar.Text, type, out value);
        if (scalar.Quoted)
            return false;
        if (type == typeof(bool))
            return TryBool(scalar.Text, out value);
        if (type == typeof(double))
        {
            var isReal = RecipeNumber.TryReal(scalar.Text, out var real);
            value = real;
            return isReal && (bounds ?? Interval.Finite).Contains(real);
        }
        var (low, high) = type == typeof(int) ? (int.MinValue, int.MaxValue) : (long.MinValue, long.MaxValue);
        if (!RecipeNumber.TryWhole(scalar.Text, out var whole) || whole < low || whole > high)
            return false;
        value = type == typeof(int) ? (int)whole : (object)(long)whole;
        return (bounds ?? Interval.Finite).Contains((double)whole);
    }

    public static IEnumerable<string> EnumNames(Type type) => Enum.GetNames(type).Select(SnakeCase);

    private static bool TryEnum(string text, Type type, out object value)
    {
        value = text;
        var names = Enum.GetNames(type);
        var name = names.FirstOrDefault(n => SnakeCase(n) == text.Replace('-', '_'));
        // A bool that grew a further choice has members True and False.
        if (name is null && TryBool(text, out var flag))
            name = names.FirstOrDefault(n => n == flag.ToString());
        if (name is not null)
            value = Enum.Parse(type, name);
        return name is not null;
    }

    // yes, no, on and off are bools to the YAML 1.1 reader that mergekit uses.
    private static bool TryBool(string text, out object value)
    {
        bool? read = text.ToLowerInvariant() switch
        {
            "true" or "yes" or "on" => true,
            "false" or "no" or "off" => false,
            _ => null,
        };
        value = read ?? false;
        return read is not null;
    }
}

using System.Reflection;
using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>One parameter of a method.</summary>
/// <param name="Name">As the recipe writes it.</param>
/// <param name="Text">The author's line about it.</param>
/// <param name="ClrType">Of one value: inside <see cref="PerModel{T}"/>, nullable as declared.</param>
/// <param name="Bounds">Null where it is no number.</param>
/// <param name="Default">The initial value (of each model, where it is per model).</param>
internal sealed record ParameterSchema(
    PropertyInfo Property,
    string Name,
    string Text,
    Type ClrType,
    bool IsPerModel,
    Interval? Bounds,
    object? Default,
    bool Required,
    SearchableAttribute? Searchable,
    SideInputAttribute? SideInput)
{
    /// <summary>Null is a value: the type is nullable, or a reference whose default is null.</summary>
    public bool IsNullable => Nullable.GetUnderlyingType(ClrType) is not null
        || (!ClrType.IsValueType && Default is null);

    public bool IsArray => ClrType.IsArray;

    /// <summary>Of one scalar: <c>double</c>, <c>int</c>, <c>long</c>, <c>bool</c>, <c>string</c> or an enum.</summary>
    public Type ScalarType => ScalarOf(ClrType);

    /// <summary>The scalar in a nullable, an array, or itself.</summary>
    public static Type ScalarOf(Type type)
    {
        var inner = type.IsArray ? type.GetElementType()! : type;
        return Nullable.GetUnderlyingType(inner) ?? inner;
    }

    /// <summary>What a recipe must write, in words.</summary>
    public string Expected
    {
        get
        {
            var one = ParameterText.Expected(ScalarType, Bounds);
            return (IsArray ? $"a list, each {one}" : one) + $" ({Text})";
        }
    }
}

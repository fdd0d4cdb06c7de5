namespace Merge.Sdk;

/// <summary>
/// Makes a property of an options record a parameter of the recipe. Its type is <c>double</c>, <c>int</c>,
/// <c>long</c>, <c>bool</c>, <c>string</c>, an enum (written in snake_case), an array of those, a nullable of those
/// (absent: null), or <see cref="PerModel{T}"/> of one of them. Its initial value is the default.
/// </summary>
/// <param name="text">One line for <c>--help</c> and the docs, with the paper's letter where it has one.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ParameterAttribute(string text) : Attribute
{
    /// <summary>One line for <c>--help</c> and the docs.</summary>
    public string Text { get; } = text;

    /// <summary>The name in a recipe; the property's name in snake_case when not given.</summary>
    public string? Name { get; init; }

    /// <summary>The interval a number must lie in, for example <c>"[0, 1]"</c> or <c>"(0, inf)"</c>.</summary>
    public string? Bounds { get; init; }

    /// <summary>The recipe must give it (for every model, where it is <see cref="PerModel{T}"/>).</summary>
    public bool Required { get; init; }
}

using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Reads what a recipe gives for a parameter into a rule; every value of every gradient and filter is checked
/// here, before any tensor asks.</summary>
internal sealed class ParameterRules(RecipeFindings findings)
{
    private readonly List<ParameterFilter> _filters = [];

    /// <summary>Every filter that was read, in order.</summary>
    public IReadOnlyList<ParameterFilter> Filters => _filters;

    /// <summary>The rule; null with findings.</summary>
    public ParameterRule? Read(ParameterSchema parameter, RecipeParameter given)
    {
        if (parameter.SideInput is not null && given.Value is not ParameterScalar)
        {
            findings.Error(given.Value.Line, $"'{parameter.Name}' depends on the tensor",
                $"one file for all tensors ({parameter.Text})");
            return null;
        }
        return given.Value is ParameterFilters filters ? ReadFilters(parameter, filters) : ReadValue(parameter, given.Value);
    }

    private FilterRule? ReadFilters(ParameterSchema parameter, ParameterFilters filters)
    {
        var rules = new List<(string?, ParameterRule?)>();
        int? forAll = null;
        foreach (var item in filters.Items)
        {
            if (forAll is { } line)
                findings.Warn(item.Line, $"this value of '{parameter.Name}' is never used: the one in line {line} is for every tensor");
            else if (FilterRule.IsForAll(item.Filter))
                forAll = item.Line;
            _filters.Add(item);
            rules.Add((item.Filter, ReadValue(parameter, item.Value)));
        }
        return rules.Any(r => r.Item2 is null) ? null : new([.. rules.Select(r => (r.Item1, r.Item2!))]);
    }

    private ParameterRule? ReadValue(ParameterSchema parameter, ParameterValue value)
    {
        switch (value)
        {
            case ParameterScalar { IsNull: true } when parameter.IsNullable:
                return new ConstantRule(null, value.Line);
            case ParameterScalar scalar when !parameter.IsArray:
                return ReadScalar(parameter, scalar, parameter.Name) is { } one ? new ConstantRule(one, scalar.Line) : null;
            case ParameterList list when parameter.IsArray:
                return new ConstantRule(ReadArray(parameter, list), list.Line);
            case ParameterList { Items.Count: 0 }:
                findings.Error(value.Line, $"'{parameter.Name}' is an empty list", parameter.Expected);
                return null;
            case ParameterList list:
                return ReadGradient(parameter, list);
            default:
                findings.Error(value.Line, $"'{parameter.Name}' is no list", parameter.Expected);
                return null;
        }
    }

    private ParameterRule? ReadGradient(ParameterSchema parameter, ParameterList list)
    {
        object?[] items = [.. list.Items.Select((item, i) => ReadScalar(parameter, item, $"{parameter.Name}[{i}]"))];
        if (items.Contains(null))
            return null;
        return parameter.ScalarType == typeof(double)
            ? new GradientRule([.. items.Cast<double>()], list.Line)
            : new StepsRule(items, list.Line);
    }

    private Array ReadArray(ParameterSchema parameter, ParameterList list)
    {
        var items = Array.CreateInstance(parameter.ClrType.GetElementType()!, list.Items.Count);
        for (var i = 0; i < items.Length; i++)
        {
            if (ReadScalar(parameter, list.Items[i], $"{parameter.Name}[{i}]") is { } item)
                items.SetValue(item, i);
        }
        return items;
    }

    private object? ReadScalar(ParameterSchema parameter, ParameterScalar scalar, string name)
    {
        if (!scalar.IsNull && ParameterText.TryRead(scalar, parameter.ScalarType, parameter.Bounds, out var value))
            return value;
        var fix = parameter.ScalarType.IsEnum
            ? NearestMatch.Question(scalar.Text, ParameterText.EnumNames(parameter.ScalarType))
            : scalar.Quoted ? "In quotes it is text: take them off." : Within(parameter, scalar);
        findings.Error(scalar.Line, scalar.IsNull ? $"'{name}' has no value"
            : $"'{name}' is {RecipeText.Quote(scalar.Text)}",
            parameter.Expected, fix);
        return null;
    }

    /// <summary>For a number that is out of bounds, the bound it is beyond, and the default if there is one.</summary>
    private static string? Within(ParameterSchema parameter, ParameterScalar scalar)
    {
        if (!RecipeNumber.TryReal(scalar.Text, out var value) || parameter.Bounds?.Nearest(value) is not { } near)
            return null;
        return parameter is { Required: false, Default: double or int or long }
            ? $"Give {near}, or leave it out: the default is {RecipeNumber.Text(Convert.ToDouble(parameter.Default))}."
            : $"Give {near}.";
    }
}

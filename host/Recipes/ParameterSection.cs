namespace Merge.Recipes;

/// <summary>Reads a <c>parameters:</c> section: names and values as they stand; what they mean is the method's
/// matter.</summary>
internal static class ParameterSection
{
    public static RecipeParameters Read(YamlEntry? section, RecipeFindings findings)
    {
        if (section is null)
            return RecipeParameters.None;
        if (section.Value is not YamlMap map)
        {
            findings.Error(section.Line, $"'{section.Key}' is {section.Value.Kind}", "a mapping such as 'weight: 0.5'");
            return RecipeParameters.None;
        }
        var items = new List<RecipeParameter>();
        foreach (var (name, line, node) in map.Entries)
        {
            if (ReadValue(name, node, findings) is { } value)
                items.Add(new(name, value, line));
        }
        return new(items);
    }

    private static ParameterValue? ReadValue(string name, YamlNode node, RecipeFindings findings)
    {
        switch (node)
        {
            case YamlScalar scalar:
                return Scalar(scalar);
            case YamlMap map:
                return ReadFilter(name, map, findings) is { } only ? new ParameterFilters([only], map.Line) : null;
            case YamlList list when list.Items.Any(i => i is YamlMap):
                var filters = list.Items.Select(i => ReadFilter(name, i, findings)).ToList();
                return filters.Contains(null) ? null : new ParameterFilters([.. filters.OfType<ParameterFilter>()],
                    list.Line);
            case YamlList list when list.Items.All(i => i is YamlScalar):
                return new ParameterList([.. list.Items.Select(i => Scalar((YamlScalar)i))], list.Line);
            default:
                findings.Error(node.Line, $"{RecipeText.Quote(name)} is a list of lists",
                    "a value, a list of values, or a list of 'filter' and 'value'");
                return null;
        }
    }

    // In a list of filters a bare value goes with every tensor.
    private static ParameterFilter? ReadFilter(string name, YamlNode node, RecipeFindings findings)
    {
        if (node is YamlScalar scalar)
            return new(null, Scalar(scalar), scalar.Line);
        if (node is not YamlMap map || map.Entries.Any(e => e.Key is not ("filter" or "value")))
        {
            findings.Error(node.Line, $"{RecipeText.Quote(name)} holds {node.Kind} that is no filter",
                "entries of 'filter' (a part of a tensor's name) and 'value'");
            return null;
        }
        var filter = map.Find("filter");
        if (filter is not null && filter.Value is not YamlScalar)
        {
            findings.Error(filter.Line, $"'filter' is {filter.Value.Kind}", "a part of a tensor's name");
            return null;
        }
        ParameterValue? value = map.Find("value")?.Value switch
        {
            YamlScalar one => Scalar(one),
            YamlList list when list.Items.All(i => i is YamlScalar) =>
                new ParameterList([.. list.Items.Select(i => Scalar((YamlScalar)i))], list.Line),
            _ => null,
        };
        if (value is null)
        {
            findings.Error(map.Line, $"a filter of {RecipeText.Quote(name)} has no value",
                "'value: ' and a number or a list");
            return null;
        }
        return new((filter?.Value as YamlScalar)?.Text, value, map.Line);
    }

    private static ParameterScalar Scalar(YamlScalar scalar) => new(scalar.Text, scalar.Quoted, scalar.Line);
}

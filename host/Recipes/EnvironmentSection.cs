namespace Merge.Recipes;

/// <summary>Reads <c>environment:</c>: a mapping for all workers, or a list of one a worker.</summary>
internal sealed class EnvironmentSection(RecipeFindings findings)
{
    private const string Example = "a mapping such as 'CUDA_VISIBLE_DEVICES: \"0\"', or a list of one a worker";

    public IReadOnlyList<IReadOnlyDictionary<string, string>> Read(YamlEntry? entry, int workers)
    {
        switch (entry?.Value)
        {
            case null:
                return [];
            case YamlMap map:
                return [Variables(map)];
            case YamlList { Items.Count: > 0 } list when list.Items.All(i => i is YamlMap):
                if (list.Items.Count != workers)
                {
                    findings.Error(entry.Line, $"'environment' lists {list.Items.Count} for {workers} "
                        + $"worker{(workers == 1 ? "" : "s")}", "one mapping for all, or one a worker",
                        $"Set 'workers: {list.Items.Count}', if that is meant.");
                }
                return [.. list.Items.Select(i => Variables((YamlMap)i))];
            default:
                findings.Error(entry.Line, $"'environment' is {entry.Value.Kind}", Example);
                return [];
        }
    }

    private Dictionary<string, string> Variables(YamlMap map)
    {
        var variables = new Dictionary<string, string>();
        foreach (var (name, line, value) in map.Entries)
        {
            if (value is not YamlScalar text)
                findings.Error(line, $"the variable {RecipeText.Quote(name)} is {value.Kind}", "one text");
            else if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0'))
                findings.Error(line, $"{RecipeText.Quote(name)} is no name of a variable", "letters, digits and '_'");
            else
                variables[name] = text.IsNull ? "" : text.Text;
        }
        return variables;
    }
}

namespace Merge.Recipes;

/// <summary>Reads <c>objective:</c>.</summary>
internal sealed class ObjectiveSection(RecipeFindings findings)
{
    private const string Example = "'maximize: accuracy' or 'minimize: loss'";

    private static readonly string[] Keys = ["maximize", "minimize", "constraints"];
    private static readonly string[] Relations = ["<=", ">=", "<", ">"];

    /// <summary>The objective, or null: there is none, or it is told what is wrong with it.</summary>
    public ObjectiveRecipe? Read(YamlEntry? section)
    {
        if (section is null)
            return null;
        if (section.Value is not YamlMap map)
        {
            findings.Error(section.Line, $"'objective' is {section.Value.Kind}", $"a mapping such as {Example}");
            return null;
        }
        new SectionReader(map, "objective", findings).CheckKeys(Keys);
        var (maximize, minimize) = (map.Find("maximize"), map.Find("minimize"));
        if (maximize is null == minimize is null)
        {
            findings.Error(minimize?.Line ?? section.Line, maximize is null
                ? "'objective' does not say what to reach" : "'maximize' and 'minimize' are both given",
                $"{Example}; a weighted sum for several metrics, such as 'maximize: {{accuracy: 1, loss: -0.5}}'");
            return null;
        }
        var terms = Terms((maximize ?? minimize)!);
        return new(terms, maximize is not null, Constraints(map.Find("constraints")), section.Line);
    }

    private ObjectiveTerm[] Terms(YamlEntry entry)
    {
        switch (entry.Value)
        {
            case YamlScalar { IsNull: false } metric when metric.Text.Trim().Length > 0:
                return [new(metric.Text, 1)];
            case YamlMap { Entries.Count: > 0 } sum:
                return [.. sum.Entries.Select(Term)];
            default:
                findings.Error(entry.Line, $"'{entry.Key}' is {entry.Value.Kind}",
                    "a metric, or metrics with their weights");
                return [];
        }
    }

    private ObjectiveTerm Term(YamlEntry entry)
    {
        CheckName(entry);
        if (entry.Value is YamlScalar { Quoted: false } scalar && RecipeNumber.TryReal(scalar.Text, out var weight)
            && double.IsFinite(weight) && weight != 0)
        {
            return new(entry.Key, weight);
        }
        findings.Error(entry.Line, $"the weight of {RecipeText.Quote(entry.Key)} is {entry.Value.Kind}",
            "a number other than 0");
        return new(entry.Key, 1);
    }

    private MetricConstraint[] Constraints(YamlEntry? entry)
    {
        if (entry is null)
            return [];
        if (entry.Value is YamlMap map)
            return [.. map.Entries.Select(Constraint).OfType<MetricConstraint>()];
        findings.Error(entry.Line, $"'constraints' is {entry.Value.Kind}", "a mapping such as 'latency: \"<= 3\"'");
        return [];
    }

    private void CheckName(YamlEntry entry)
    {
        if (string.IsNullOrWhiteSpace(entry.Key))
            findings.Error(entry.Line, "a metric of the objective has no name", "the name of a metric, such as 'accuracy'");
    }

    private MetricConstraint? Constraint(YamlEntry entry)
    {
        CheckName(entry);
        var text = (entry.Value as YamlScalar)?.Text.Trim() ?? "";
        if (Relations.FirstOrDefault(text.StartsWith) is { } relation
            && RecipeNumber.TryReal(text[relation.Length..].Trim(), out var bound) && double.IsFinite(bound))
        {
            return new(entry.Key, relation, bound);
        }
        findings.Error(entry.Line, $"the constraint on {RecipeText.Quote(entry.Key)} is {entry.Value.Kind}",
            "<=, >=, < or > and a number, in quotes, such as \"<= 3\"");
        return null;
    }
}

using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Reads <c>models:</c> — a list, or one trajectory — and the <c>sources:</c> of a slice.</summary>
internal sealed class ModelSection(RecipeFindings findings)
{
    private static readonly string[] EntryKeys = ["model", "adapters", "parameters", "last", "every"];
    private static readonly string[] SourceKeys = ["model", "adapters", "layer_range", "parameters", "last", "every"];
    private static readonly string[] TrajectoryKeys = ["trajectory", "parameters", "last", "every"];

    private readonly AdapterSection _adapters = new(findings);

    public IReadOnlyList<RecipeModel> Read(YamlEntry section)
    {
        switch (section.Value)
        {
            case YamlScalar scalar:
                var pattern = Reference(scalar, "models");
                RequirePattern(pattern);
                return pattern is null ? [] : [new(pattern, RecipeParameters.None)];
            case YamlMap map:
                var trajectory = ReadMap(map, "trajectory", TrajectoryKeys);
                RequirePattern(trajectory?.Model);
                return trajectory is null ? [] : [trajectory];
            case YamlList { Items.Count: 0 }:
                findings.Error(section.Line, "'models' is an empty list", "at least one model");
                return [];
            default:
                return [.. ((YamlList)section.Value).Items.Select(ReadEntry).OfType<RecipeModel>()];
        }
    }

    /// <summary>The sources of a slice, each with its layers.</summary>
    public IReadOnlyList<RecipeModel> ReadSources(YamlEntry section)
    {
        if (section.Value is not YamlList { Items.Count: > 0 } list)
        {
            findings.Error(section.Line, $"'sources' is {(section.Value is YamlList ? "an empty list" : section.Value.Kind)}",
                "a list of entries with 'model' and 'layer_range'");
            return [];
        }
        var sources = new List<RecipeModel>();
        foreach (var item in list.Items)
        {
            if (item is not YamlMap map)
                findings.Error(item.Line, $"a source is {item.Kind}", "an entry with 'model' and 'layer_range'");
            else if (ReadMap(map, "model", SourceKeys) is { } source)
                sources.Add(source with { Layers = ReadRange(map) });
        }
        return sources;
    }

    private LayerRange? ReadRange(YamlMap map)
    {
        const string Expected = "two whole numbers, the first layer and the one after the last, such as [0, 24]";
        if (map.Find("layer_range") is not { } entry)
        {
            findings.Error(map.Line, "'layer_range' is missing", Expected);
            return null;
        }
        if (entry.Value is YamlList { Items: [YamlScalar first, YamlScalar end] }
            && RecipeNumber.TryWhole(first.Text, out var from) && RecipeNumber.TryWhole(end.Text, out var to)
            && from >= 0 && to > from && to <= int.MaxValue)
        {
            return new((int)from, (int)to);
        }
        var found = entry.Value is YamlList { Items: [YamlScalar a, YamlScalar b] }
            ? RecipeText.Quote($"[{a.Text}, {b.Text}]") : entry.Value.Kind;
        findings.Error(entry.Line, $"'layer_range' is {found}", Expected);
        return null;
    }

    /// <summary>A model's name, or null with a finding.</summary>
    public ModelReference? Reference(YamlNode node, string key)
    {
        if (node is YamlScalar { IsNull: false } scalar && scalar.Text.Trim().Length > 0 && !scalar.Text.Contains('\0'))
            return new(scalar.Text.Trim(), scalar.Line);
        if (node is YamlMap map)
            return _adapters.ReadLongForm(map, key, this);
        findings.Error(node.Line, $"'{key}' is {node.Kind}", "a path or org/name");
        return null;
    }

    private RecipeModel? ReadEntry(YamlNode node)
    {
        if (node is YamlMap map)
            return ReadMap(map, "model", EntryKeys);
        return Reference(node, "model") is { } reference ? new(reference, RecipeParameters.None) : null;
    }

    private RecipeModel? ReadMap(YamlMap map, string nameKey, string[] keys)
    {
        foreach (var (key, line, _) in map.Entries)
        {
            if (keys.Contains(key))
                continue;
            findings.Error(line, $"there is no key {RecipeText.Quote(key)} beside '{nameKey}'",
                $"one of {string.Join(", ", keys)}",
                NearestMatch.Question(key, keys) ?? "A parameter of the method stands below 'parameters:'.");
        }
        var window = new TrajectoryWindow(ReadCount(map, "last"), ReadCount(map, "every"));
        var parameters = ParameterSection.Read(map.Find("parameters"), findings);
        if (map.Find(nameKey) is not { } name)
        {
            findings.Error(map.Line, $"'{nameKey}' is missing", $"'{nameKey}: ' and a path or org/name");
            return null;
        }
        if (Reference(name.Value, nameKey) is not { } reference)
            return null;
        if (map.Find("adapters") is { } listed)
            reference = reference with { Adapters = [.. reference.Adapters, .. _adapters.Read(listed)] };
        if (window != default && !reference.IsTrajectory && nameKey == "model")
        {
            findings.Error(reference.Line, $"'last' and 'every' choose checkpoints of a trajectory; " +
                $"{RecipeText.Quote(reference.Text)} is one model", "a pattern such as 'run/checkpoint-*'");
        }
        return new(reference, parameters, window);
    }

    private void RequirePattern(ModelReference? reference)
    {
        if (reference is { IsTrajectory: false })
        {
            findings.Error(reference.Line, $"{RecipeText.Quote(reference.Text)} is one model, not a trajectory",
                "a pattern with '*', such as 'run/checkpoint-*', or a list of models",
                $"For one model write '- model: {reference.Text}'.");
        }
    }

    private int? ReadCount(YamlMap map, string key)
    {
        if (map.Find(key) is not { } entry)
            return null;
        if (entry.Value is YamlScalar { Quoted: false } scalar && RecipeNumber.TryWhole(scalar.Text, out var count)
            && count >= 1 && count <= int.MaxValue)
        {
            return (int)count;
        }
        findings.Error(entry.Line, $"'{key}' is {entry.Value.Kind}", "a whole number from 1");
        return null;
    }
}

using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Reads <c>slices:</c> and <c>modules:</c>.</summary>
internal sealed class SliceSection(ModelSection models, RecipeFindings findings)
{
    private static readonly string[] SliceKeys = ["sources", "base_model", "parameters", "residual_weight"];
    private static readonly string[] ModuleKeys = ["models", "slices", "parameters"];

    public IReadOnlyList<RecipeSlice> Read(YamlEntry section)
    {
        if (section.Value is YamlList { Items.Count: > 0 } list)
            return [.. list.Items.Select(ReadSlice).OfType<RecipeSlice>()];
        findings.Error(section.Line, $"'slices' is {(section.Value is YamlList ? "an empty list" : section.Value.Kind)}",
            "a list of entries with 'sources'");
        return [];
    }

    public IReadOnlyList<RecipeModule> ReadModules(YamlEntry section)
    {
        if (section.Value is YamlMap { Entries.Count: > 0 } map)
            return [.. map.Entries.Select(ReadModule).OfType<RecipeModule>()];
        findings.Error(section.Line, $"'modules' is {(section.Value is YamlMap ? "empty" : section.Value.Kind)}",
            "names of modules, each with 'slices' or 'models'");
        return [];
    }

    private RecipeSlice? ReadSlice(YamlNode node)
    {
        if (node is not YamlMap map)
        {
            findings.Error(node.Line, $"a slice is {node.Kind}", "an entry with 'sources'");
            return null;
        }
        CheckKeys(map, SliceKeys, "a slice");
        if (map.Find("residual_weight") is { } residual)
            findings.Warn(residual.Line, "'residual_weight' has no effect: mergekit reads it and does not use it");
        var parameters = ParameterSection.Read(map.Find("parameters"), findings);
        var baseModel = map.Find("base_model") is { } given ? models.Reference(given.Value, "base_model") : null;
        if (map.Find("sources") is not { } entry)
        {
            findings.Error(map.Line, "'sources' is missing", "a list of entries with 'model' and 'layer_range'");
            return null;
        }
        var sources = models.ReadSources(entry);
        var first = sources.FirstOrDefault(s => s.Layers is not null);
        foreach (var other in sources.Where(s => s.Layers is { } layers && layers.Count != first!.Layers!.Value.Count))
        {
            findings.Error(other.Model.Line,
                $"{RecipeText.Quote(other.Model.Text)} gives {Layers(other)}, {RecipeText.Quote(first!.Model.Text)} {Layers(first)}",
                "as many layers from every source of a slice");
        }
        return new(map.Line, sources, baseModel, parameters);
    }

    private RecipeModule? ReadModule(YamlEntry entry)
    {
        if (entry.Value is not YamlMap map)
        {
            findings.Error(entry.Line, $"module {RecipeText.Quote(entry.Key)} is {entry.Value.Kind}", "'slices' or 'models'");
            return null;
        }
        CheckKeys(map, ModuleKeys, "a module");
        var (whole, sliced) = (map.Find("models"), map.Find("slices"));
        if (whole is null == sliced is null)
        {
            findings.Error(entry.Line, $"module {RecipeText.Quote(entry.Key)} has {(whole is null ? "neither" : "both")} " +
                $"'models' {(whole is null ? "nor" : "and")} 'slices'", "one of them");
        }
        return new(entry.Key, entry.Line, whole is null ? [] : models.Read(whole), sliced is null ? [] : Read(sliced),
            ParameterSection.Read(map.Find("parameters"), findings));
    }

    private void CheckKeys(YamlMap map, string[] keys, string what)
    {
        foreach (var (key, line, _) in map.Entries.Where(e => !keys.Contains(e.Key)))
        {
            findings.Error(line, $"{what} has no key {RecipeText.Quote(key)}", $"one of {string.Join(", ", keys)}",
                NearestMatch.Question(key, keys));
        }
    }

    private static string Layers(RecipeModel source) =>
        $"{source.Layers!.Value.Count} layer{(source.Layers.Value.Count == 1 ? "" : "s")} ({source.Layers})";
}

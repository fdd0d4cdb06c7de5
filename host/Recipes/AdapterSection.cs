using Merge.Sdk;

namespace Merge.Recipes;

/// <summary>Reads the adapters of a model: <c>adapters:</c> beside it, or mergekit's long form of a model,
/// <c>{model: {path: …}, lora: {path: …}}</c>.</summary>
internal sealed class AdapterSection(RecipeFindings findings)
{
    private static readonly string[] EntryKeys = ["adapter", "weight"];
    private static readonly string[] LongKeys = ["model", "lora", "path", "revision", "override_architecture"];

    public IReadOnlyList<AdapterReference> Read(YamlEntry section)
    {
        YamlNode[] items = section.Value is YamlList list ? [.. list.Items] : [section.Value];
        return [.. items.Select(ReadOne).OfType<AdapterReference>()];
    }

    /// <summary>A model as mergekit writes it out: <c>{path: …, revision: …}</c>, or with <c>model</c> and <c>lora</c>.</summary>
    public ModelReference? ReadLongForm(YamlMap map, string key, ModelSection models)
    {
        foreach (var (name, line, _) in map.Entries.Where(e => !LongKeys.Contains(e.Key)))
        {
            findings.Error(line, $"there is no key {RecipeText.Quote(name)} in the long form of a model",
                $"one of {string.Join(", ", LongKeys)}", NearestMatch.Question(name, LongKeys));
        }
        if (map.Find("path") is { } path)
        {
            if (models.Reference(path.Value, "path") is not { } plain)
                return null;
            var revision = (map.Find("revision")?.Value as YamlScalar)?.Text;
            return string.IsNullOrEmpty(revision) || revision == "null" ? plain : plain with { Text = $"{plain.Text}@{revision}" };
        }
        if (map.Find("model") is not { } model)
        {
            findings.Error(map.Line, $"'{key}' is a mapping without 'path' and without 'model'",
                "a path or org/name, or {model: {path: …}, lora: {path: …}}");
            return null;
        }
        var reference = models.Reference(model.Value, "model");
        if (reference is null || map.Find("lora") is not { } lora || lora.Value is YamlScalar { IsNull: true })
            return reference;
        return models.Reference(lora.Value, "lora") is { } adapter
            ? reference with { Adapters = [new(adapter.Text, 1, adapter.Line)] }
            : null;
    }

    private AdapterReference? ReadOne(YamlNode node)
    {
        if (node is YamlScalar { IsNull: false } scalar && scalar.Text.Trim().Length > 0)
            return new(scalar.Text.Trim(), 1, scalar.Line);
        if (node is not YamlMap map || map.Find("adapter")?.Value is not YamlScalar { IsNull: false } name || name.Text.Trim().Length == 0)
        {
            findings.Error(node.Line, $"an entry of 'adapters' is {node.Kind}", "a path or org/name, or {adapter: …, weight: …}");
            return null;
        }
        foreach (var (key, line, _) in map.Entries.Where(e => !EntryKeys.Contains(e.Key)))
        {
            findings.Error(line, $"there is no key {RecipeText.Quote(key)} beside 'adapter'",
                $"one of {string.Join(", ", EntryKeys)}", NearestMatch.Question(key, EntryKeys));
        }
        var weight = 1.0;
        if (map.Find("weight") is { } given
            && (given.Value is not YamlScalar number || !RecipeNumber.TryReal(number.Text, out weight) || !double.IsFinite(weight)))
        {
            findings.Error(given.Line, $"'weight' of an adapter is {given.Value.Kind}", "a number");
        }
        return new(name.Text.Trim(), weight, name.Line);
    }
}

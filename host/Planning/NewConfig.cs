using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>
/// The donor's config for a model of other layers: their number, and what it lists layer by layer. Keys are known by
/// name; values of keys nobody knows stay.
/// </summary>
internal static partial class NewConfig
{
    private static readonly string[] Counts = ["num_hidden_layers", "n_layer", "n_layers", "num_layers", "depth"];
    private static readonly string[] TextSections = ["text_config", "llm_config", "language_config"];

    // Where a module's settings stand, and what they are called where not as everywhere.
    private static readonly (string Part, string[] Sections, string[] Keys)[] Known =
    [
        ("text_decoder", [.. TextSections, ""], Counts),
        ("vision_tower", ["vision_config"], Counts),
        ("audio_tower", ["audio_config"], [.. Counts, "encoder_layers"]),
        ("encoder", ["encoder", ""], ["encoder_layers", "num_encoder_layers", .. Counts]),
        ("decoder", ["decoder", ""], ["decoder_layers", "num_decoder_layers"]),
    ];

    /// <param name="donor">Whose config it is.</param>
    /// <param name="stacks">The new stacks; none: nothing changes.</param>
    /// <param name="problems">Gets a warning where the config has no key for the number of layers.</param>
    /// <returns>The text; null where the donor has no config that is copied, or nothing changes.</returns>
    public static string? Of(PlannedModel donor, IReadOnlyList<NewStack> stacks, List<Diagnostic> problems)
    {
        if (donor.Checkpoint is not { Config: not null, Folder: { } folder } || stacks.Count == 0)
            return null;
        var config = ConfigText.Parse(File.ReadAllText(Path.Combine(folder, "config.json")));
        var before = config.DeepClone();
        foreach (var stack in stacks)
        {
            var (_, names, keys) = Known.FirstOrDefault(
                k => k.Part == (stack.Module is null or ModelParts.Everything ? "text_decoder" : ModelParts.PartName(stack.Module)), ("", [], []));
            string[] present = [.. names.Where(n => Section(config, n) is not null)];
            var rewritten = present.Count(n => Rewrite(Section(config, n)!, keys, n, stack, donor));
            if (rewritten == 0 && stack.Layers.Count != OldCount(donor, stack.Prefix))
            {
                problems.Add(new Diagnostic(
                    $"the output has {stack.Layers.Count} layers '{stack.Prefix}N', and no key of the config is known to say so")
                {
                    Severity = Severity.Warning,
                    Where = donor.Checkpoint.Path,
                    Expected = $"one of {string.Join(", ", keys.DefaultIfEmpty("num_hidden_layers"))}",
                    Fix = "Set the number of layers in the output's config.json yourself.",
                });
            }
        }
        return JsonNode.DeepEquals(config, before) ? null : ConfigText.Of(config);
    }

    private static JsonObject? Section(JsonObject config, string name) => name == "" ? config : config[name] as JsonObject;

    private static int OldCount(PlannedModel model, string prefix) =>
        LayerStack.Of(model.Checkpoint.Tensors.Keys).FirstOrDefault(s => s.Prefix == prefix)?.Count ?? 0;

    // True where the section says how many layers there are.
    private static bool Rewrite(JsonObject section, string[] keys, string name, NewStack stack, PlannedModel donor)
    {
        var count = stack.Layers.Count;
        var isKnown = false;
        var old = OldCount(donor, stack.Prefix);
        foreach (var key in keys.Where(k => IsInteger(section[k])))
        {
            // A model of two stacks has, beside a key of its own, the encoder's number under the general one.
            if (stack.Module == "encoder" && isKnown && (int)section[key]! != old)
                continue;
            section[key] = count;
            isKnown = true;
        }
        if (IsInteger(section["max_window_layers"]) && (int)section["max_window_layers"]! == old)
            section["max_window_layers"] = count;
        foreach (var (key, list) in section.Where(p => p.Value is JsonArray).Select(p => (p.Key, p.Value!.AsArray())).ToArray())
        {
            if (list.Count == old && PerLayerName().IsMatch(key))
                section[key] = PerLayer(list, key, name, stack);
            else if (IndexName().IsMatch(key) && list.Count > 0 && list.All(i => IsInteger(i) && (int)i! >= 0 && (int)i! < old))
                section[key] = Indices(list, key, name, stack);
        }
        return isKnown;
    }

    // Each layer keeps what its own model says of it.
    private static JsonArray PerLayer(JsonArray donors, string key, string section, NewStack stack) =>
        [.. stack.Layers.Select(l => OwnList(l.Model, key, section) is { } own && l.Layer < own.Count ? own[l.Layer]
            : l.Layer < donors.Count ? donors[l.Layer] : donors[^1]).Select(v => v?.DeepClone())];

    private static JsonArray Indices(JsonArray donors, string key, string section, NewStack stack) =>
        [.. stack.Layers.Index()
            .Where(l => (OwnList(l.Item.Model, key, section) ?? donors).Any(i => IsInteger(i) && (int)i! == l.Item.Layer))
            .Select(l => JsonValue.Create(l.Index))];

    private static JsonArray? OwnList(PlannedModel model, string key, string section) =>
        model.Checkpoint.Config is { } config ? Section(config, section)?[key] as JsonArray : null;

    private static bool IsInteger(JsonNode? node) => node is JsonValue value && value.TryGetValue<int>(out _);

    [GeneratedRegex(
        @"(^|_)layers?(_|$)|_types?$|per_layer|block_configs|num_(query|kv|key_value|attention)_heads|ffn_multipliers",
        RegexOptions.CultureInvariant)]
    private static partial Regex PerLayerName();

    [GeneratedRegex(@"(layers|idxs|indices|indexes)$", RegexOptions.CultureInvariant)]
    private static partial Regex IndexName();
}

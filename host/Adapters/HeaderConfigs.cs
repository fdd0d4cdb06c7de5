using System.Text.Json;
using System.Text.Json.Nodes;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>
/// The configs that diffusers puts into the header of an adapter's file: PEFT's settings of each component of a pipeline,
/// their keys behind the component's name (<c>unet.lora_alpha</c>), or of a single model without one. Names of modules are
/// those inside the component.
/// </summary>
internal sealed class HeaderConfigs
{
    /// <summary>What the header calls them.</summary>
    public const string Key = "lora_adapter_metadata";

    // Of a pipeline; without one of these in front names are those of a single model.
    private static readonly string[] Components =
    [
        "unet", "transformer", "transformer_2", "text_encoder", "text_encoder_2", "text_encoder_3", "prior", "controlnet",
    ];

    private readonly IReadOnlyList<(string Prefix, AdapterConfig Config)> _components;

    private HeaderConfigs(IReadOnlyList<(string Prefix, AdapterConfig Config)> components) => _components = components;

    /// <summary>The config of a module's component and the module's name in it; null where no component is the module's.</summary>
    public (AdapterConfig? Config, string Module)? Of(string module) =>
        _components.FirstOrDefault(c => module.StartsWith(c.Prefix, StringComparison.Ordinal)) is { Config: { } config, Prefix: var prefix }
            ? (config, module[prefix.Length..]) : null;

    /// <param name="checkpoint">The adapter's tensors.</param>
    /// <param name="problems">What is wrong with what the header says, and what it asks for that would be read wrongly.</param>
    /// <returns>Null where it says nothing, and with an error.</returns>
    public static HeaderConfigs? Read(Checkpoint checkpoint, List<Diagnostic> problems)
    {
        if (!checkpoint.Metadata.TryGetValue(Key, out var text))
            return null;
        if (Parse(text) is not { } settings)
        {
            problems.Add(new Diagnostic($"'{Key}' in the file's header is no JSON object")
            {
                Where = checkpoint.Path,
                Expected = "the settings of the adapter, as diffusers writes them",
                Fix = "Get the file again.",
            });
            return null;
        }
        var found = new List<(string Prefix, AdapterConfig Config)>();
        // 'r' is what every config has: whatever stands before it is a component.
        foreach (var prefix in settings.Select(s => s.Key).Where(k => k == "r" || k.EndsWith(".r", StringComparison.Ordinal))
            .Select(k => k[..^1]).OrderByDescending(p => p.Length).ThenBy(p => p, StringComparer.Ordinal))
        {
            var own = new JsonObject(settings.Where(s => s.Key.StartsWith(prefix, StringComparison.Ordinal))
                .Select(s => KeyValuePair.Create(s.Key[prefix.Length..], s.Value?.DeepClone())));
            var where = prefix.Length == 0 ? $"{checkpoint.Path}, {Key}" : $"{checkpoint.Path}, {Key}, {prefix[..^1]}";
            if (AdapterConfig.Read(where, own, problems) is { } config)
                found.Add((prefix, config));
        }
        return found.Count == 0 ? null : new(found);
    }

    /// <summary>What the header of a merged adapter says: s is 1 in every module (α = r). Beside an alpha of each module
    /// diffusers would refuse it, and by itself it takes the rank of one module for the alpha of all.</summary>
    /// <param name="ranks">r of every module.</param>
    public static string Text(IReadOnlyDictionary<string, int> ranks)
    {
        var settings = new JsonObject();
        foreach (var component in ranks.GroupBy(r => Prefix(r.Key), StringComparer.Ordinal).OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            var own = component.OrderBy(r => r.Key, StringComparer.Ordinal).ToDictionary(r => r.Key[component.Key.Length..], r => r.Value);
            var (common, pattern) = MergedConfig.Ranks(own);
            settings[component.Key + "alpha_pattern"] = pattern.DeepClone();
            settings[component.Key + "lora_alpha"] = common;
            settings[component.Key + "peft_type"] = "LORA";
            settings[component.Key + "r"] = common;
            settings[component.Key + "rank_pattern"] = pattern;
            settings[component.Key + "target_modules"] = new JsonArray([.. own.Keys.Select(m => (JsonNode)m)]);
        }
        return settings.ToJsonString();
    }

    private static string Prefix(string module) =>
        module.IndexOf('.') is > 0 and var dot && Components.Contains(module[..dot]) ? module[..(dot + 1)] : "";

    private static JsonObject? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

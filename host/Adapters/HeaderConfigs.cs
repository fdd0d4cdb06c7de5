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

    // Of diffusers' pipelines: what names begin with where no header says it.
    private static readonly string[] Known =
    [
        "unet", "transformer", "transformer_2", "transformer_ref", "text_encoder", "text_encoder_2", "text_conditioner", "prior", "connectors",
    ];

    // By the component's name; a single model has none: "".
    private readonly IReadOnlyDictionary<string, AdapterConfig> _components;

    private HeaderConfigs(IReadOnlyDictionary<string, AdapterConfig> components) => _components = components;

    /// <summary>The components that the headers of some adapters name, and where one has no header those that are known:
    /// names that begin with another word are those of a single model.</summary>
    public static IReadOnlySet<string> Components(IEnumerable<HeaderConfigs?> headers) =>
        headers.SelectMany(h => h?._components.Keys ?? Known).Where(c => c.Length > 0).ToHashSet(StringComparer.Ordinal);

    /// <summary>The component of a module, "" where it has none, and the module's name in it.</summary>
    /// <param name="isComponent">Whether a name is that of a component.</param>
    public static (string Component, string Module) Split(string module, Func<string, bool> isComponent) =>
        module.IndexOf('.') is > 0 and var dot && isComponent(module[..dot]) ? (module[..dot], module[(dot + 1)..]) : ("", module);

    /// <summary>The settings of a module's component; null where no component is the module's.</summary>
    public ModuleSettings? Of(string module)
    {
        var (component, own) = Split(module, _components.ContainsKey);
        return _components.TryGetValue(component, out var config)
            ? new(config, own, component.Length == 0 ? $"the file's header ({Key})" : $"the file's header ({Key}, {component})") : null;
    }

    /// <summary>What the header would have to say for it to hold for a module of none of its components, and what it says instead.</summary>
    public (string Found, string Expected) Lack(string module)
    {
        var component = Split(module, _ => true).Component;
        var there = _components.Keys.Order(StringComparer.Ordinal).Take(4).Select(c => $"'{c}'");
        return (
            $"the file's header ({Key}) has settings of {string.Join(", ", there)}{(_components.Count > 4 ? ", …" : "")}, and none of "
                + (component.Length == 0 ? "a model without a name" : $"'{component}'"),
            component.Length == 0 ? "'r' and 'lora_alpha' there" : $"'{component}.r' and '{component}.lora_alpha' there");
    }

    /// <summary>What says the scales of modules that have no <see cref="AdapterConfig"/> in a file of its own.</summary>
    public static string ScaledBy(HeaderConfigs? header, IReadOnlyCollection<string> modules)
    {
        const string Alphas = "the alpha beside the factors";
        return modules.Count(m => header?.Of(m) is not null) is var said && said == 0 ? Alphas
            : said == modules.Count ? $"the file's header ({Key})" : $"the file's header ({Key}), and of {modules.Count - said} of {modules.Count} modules by {Alphas}";
    }

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
        var found = new Dictionary<string, AdapterConfig>(StringComparer.Ordinal);
        // 'r' is what every config has: whatever stands before it is a component.
        foreach (var component in settings
            .Select(s => (Own: Split(s.Key, c => settings.ContainsKey(c + ".r")), s.Value))
            .GroupBy(s => s.Own.Component, s => KeyValuePair.Create(s.Own.Module, s.Value?.DeepClone()), StringComparer.Ordinal))
        {
            var own = new JsonObject(component);
            if (!own.ContainsKey("r"))
                continue;
            var where = component.Key.Length == 0 ? $"{checkpoint.Path}, {Key}" : $"{checkpoint.Path}, {Key}, {component.Key}";
            var wrong = new List<Diagnostic>();
            if (AdapterConfig.Read(where, own, wrong) is { } config)
                found.Add(component.Key, config);
            problems.AddRange(wrong);
        }
        return found.Count == 0 ? null : new(found);
    }

    /// <summary>What the header of a merged adapter says: s is 1 in every module (α = r). Beside an alpha of each module
    /// diffusers would refuse it, and by itself it takes the rank of one module for the alpha of all.</summary>
    /// <param name="ranks">r of every module.</param>
    /// <param name="components">What is a component where a name begins with it.</param>
    /// <param name="transposed">Components whose weights are stored [inputs, outputs].</param>
    public static string Text(IReadOnlyDictionary<string, int> ranks, IReadOnlySet<string> components, IReadOnlySet<string> transposed)
    {
        var settings = new JsonObject();
        foreach (var component in ranks.Select(r => (Own: Split(r.Key, components.Contains), Rank: r.Value))
            .GroupBy(r => r.Own.Component, StringComparer.Ordinal).OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            var own = component.OrderBy(r => r.Own.Module, StringComparer.Ordinal).ToDictionary(r => r.Own.Module, r => r.Rank);
            var (common, pattern) = MergedConfig.Ranks(own);
            var prefix = component.Key.Length == 0 ? "" : component.Key + ".";
            settings[prefix + "alpha_pattern"] = pattern.DeepClone();
            settings[prefix + "fan_in_fan_out"] = transposed.Contains(component.Key);
            settings[prefix + "lora_alpha"] = common;
            settings[prefix + "peft_type"] = "LORA";
            settings[prefix + "r"] = common;
            settings[prefix + "rank_pattern"] = pattern;
            settings[prefix + "target_modules"] = new JsonArray([.. own.Keys.Select(m => (JsonNode)m)]);
        }
        return settings.ToJsonString();
    }

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

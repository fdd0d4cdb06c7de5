using System.Text.Json.Nodes;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>
/// What a PEFT config may ask for beyond s·B·A. Whatever would make the adapter mean something else than it says is
/// refused by name: it changes the base, adds to more than the factors, or holds for some tokens only.
/// </summary>
internal static class AdapterFeatures
{
    // These initialise the factors from the base and take them out of it: B·A then belongs to a changed base.
    private static readonly (string Name, string What, string Fix)[] ChangingInitialisations =
    [
        ("pissa", "PiSSA", Unchanged), ("olora", "OLoRA", Unchanged), ("corda", "CorDA", Unchanged), ("lora_ga", "LoRA-GA", Unchanged),
        ("loftq", "LoftQ", "Merge it with PEFT (merge_and_unload) into the base that LoftQ made for it, and give the result."),
    ];

    private const string Unchanged = "Save it again with PEFT's save_pretrained(..., path_initial_model_for_weight_conversion=...).";

    private static readonly string[] LeavingInitialisations = ["gaussian", "eva", "orthogonal", "mica"];

    private static readonly (string Key, string What)[] Refused =
    [
        ("target_parameters", "adapts parameters inside a module (experts, for example), not whole modules"),
        ("lora_bias", "gives B a bias, which changes the module's bias too"),
        ("trainable_token_indices", "trains single rows of the embedding"),
        ("layer_replication", "repeats layers of the base"),
        ("alora_invocation_tokens", "is active behind certain tokens only, which no merged weight can be"),
        ("use_qalora", "pools inputs in groups (QALoRA)"),
        ("use_bdlora", "has block-diagonal factors (BD-LoRA)"),
        ("arrow_config", "chooses among adapters token by token (Arrow)"),
        ("kasa_config", "takes directions out of the base, and has a diagonal between its factors (KaSA)"),
    ];

    // What stands beside the model, looks at tokens or shares weights of the base: not even PEFT makes weights of it.
    private static readonly string[] Unmergeable = ["alora_invocation_tokens", "arrow_config", "layer_replication", "use_qalora"];

    private static readonly string[] UnmergeableTypes =
    [
        "PROMPT_TUNING", "MULTITASK_PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING", "ADAPTION_PROMPT", "CPT", "CARTRIDGE", "XLORA", "POLY",
    ];

    private const string InPeft = "Merge it into its base with PEFT (merge_and_unload), and give the result.";

    private const string BesideItsBase = "PEFT does not merge it into its base either: use it with PEFT, beside its base.";

    private static readonly string[] Harmless =
    [
        "peft_type", "task_type", "auto_mapping", "base_model_name_or_path", "revision", "inference_mode", "r",
        "target_modules", "exclude_modules", "lora_alpha", "lora_dropout", "fan_in_fan_out", "bias", "use_rslora",
        "modules_to_save", "init_lora_weights", "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern",
        "megatron_config", "megatron_core", "loftq_config", "eva_config", "corda_config", "use_dora", "qalora_group_size",
        "peft_version", "runtime_config", "ensure_weight_tying", "lora_ga_config", "enable_lora", "merge_weights",
        "velora_config", "monteclora_config",
    ];

    public static void Check(string path, JsonObject json, List<Diagnostic> problems)
    {
        if (json["peft_type"] is { } type && Text(type) is var kind && kind != "LORA")
        {
            problems.Add(new Diagnostic($"the adapter is of type {kind}")
            {
                Where = path,
                Expected = "\"peft_type\": \"LORA\"",
                Fix = UnmergeableTypes.Contains(kind) ? BesideItsBase : InPeft,
            });
            return;
        }
        foreach (var (name, what, fix) in ChangingInitialisations)
        {
            if (json["init_lora_weights"] is { } init && Text(init).StartsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                problems.Add(new Diagnostic($"the adapter was initialised by {what} ('init_lora_weights': \"{Text(init)}\"), "
                    + "which changes the base model as well")
                {
                    Where = path,
                    Expected = "an adapter of the unchanged base",
                    Fix = fix,
                });
            }
        }
        if (json["init_lora_weights"] is JsonValue given && given.TryGetValue<string>(out var scheme)
            && !LeavingInitialisations.Contains(scheme.ToLowerInvariant())
            && !ChangingInitialisations.Any(c => scheme.StartsWith(c.Name, StringComparison.OrdinalIgnoreCase)))
        {
            problems.Add(new Diagnostic($"the initialisation 'init_lora_weights': \"{scheme}\" is not known to this version")
            {
                Severity = Severity.Warning,
                Where = path,
                Expected = $"one that leaves the base alone: true, false, {string.Join(", ", LeavingInitialisations)}",
                Fix = "If it takes the factors out of the base, as PiSSA does, save the adapter again with PEFT's "
                    + "path_initial_model_for_weight_conversion; else all is well.",
            });
        }
        foreach (var (key, what) in Refused)
        {
            if (IsSet(json[key]))
            {
                problems.Add(new Diagnostic($"the adapter {what}: '{key}' is {json[key]!.ToJsonString()}")
                {
                    Where = path,
                    Fix = Unmergeable.Contains(key) ? BesideItsBase : InPeft,
                });
            }
        }
        foreach (var (key, value) in json)
        {
            if (Harmless.Contains(key) || Refused.Any(r => r.Key == key) || !IsSet(value))
                continue;
            if (IsVariant(key))
            {
                problems.Add(new Diagnostic($"the adapter is of a variant of LoRA that is not known to this version: '{key}' is {value!.ToJsonString()}")
                {
                    Where = path,
                    Expected = "plain LoRA, rsLoRA or DoRA",
                    Fix = InPeft + " If the setting mattered in training only, set it to null.",
                });
            }
            else
            {
                problems.Add(new Diagnostic($"'{key}' is not known to this version, and has no effect")
                {
                    Severity = Severity.Warning,
                    Where = path,
                    Fix = "If it changes what the adapter's tensors mean, merge it with PEFT instead.",
                });
            }
        }
    }

    /// <summary>Whether a setting is named as those are by which PEFT chooses another algebra.</summary>
    private static bool IsVariant(string key) =>
        key.StartsWith("use_", StringComparison.Ordinal) || key.EndsWith("_config", StringComparison.Ordinal);

    private static string Text(JsonNode node) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : node.ToJsonString();

    // Some programs write Python's False and None as texts.
    private static bool IsSet(JsonNode? node) => node switch
    {
        null => false,
        JsonArray list => list.Count > 0,
        JsonObject map => map.Count > 0,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        JsonValue value when value.TryGetValue<string>(out var text) => text.Trim().ToLowerInvariant() is not ("" or "false" or "none" or "null"),
        JsonValue value when value.TryGetValue<double>(out var number) => number != 0,
        _ => true,
    };
}

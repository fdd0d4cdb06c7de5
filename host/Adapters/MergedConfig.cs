using System.Text.Json;
using System.Text.Json.Nodes;

namespace Merge.Adapters;

/// <summary>The <c>adapter_config.json</c> of an adapter that was made here: s is 1 in every module (α = r), patterns
/// stand only where ranks differ.</summary>
internal static class MergedConfig
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <param name="adapters">What it is made of; empty where it was extracted.</param>
    /// <param name="ranks">r of every module.</param>
    /// <param name="saved">The parameters it brings whole.</param>
    /// <param name="baseModel">The model it belongs to, as it should be named there; null: what the adapters say.</param>
    /// <param name="allModules">Of an extraction all linear modules of the model.</param>
    /// <param name="fanInFanOut">Whether weights are stored [inputs, outputs].</param>
    public static string Text(
        IReadOnlyList<Adapter> adapters,
        IReadOnlyDictionary<string, int> ranks,
        IReadOnlyCollection<string> saved,
        string? baseModel,
        IReadOnlyList<string> allModules,
        bool fanInFanOut)
    {
        AdapterConfig[] configs = [.. adapters.Select(a => a.Config).OfType<AdapterConfig>()];
        var common = ranks.Count == 0 ? 1 : ranks.Values.GroupBy(r => r).OrderByDescending(g => g.Count()).ThenBy(g => g.Key).First().Key;
        var patterns = new JsonObject();
        var alphas = new JsonObject();
        foreach (var (module, rank) in Patterns(ranks, common))
        {
            patterns[Key(module)] = rank;
            alphas[Key(module)] = rank;
        }
        var modulesToSave = Union(configs, "modules_to_save");
        var config = new JsonObject
        {
            ["alpha_pattern"] = alphas,
            ["auto_mapping"] = Same(configs, "auto_mapping"),
            ["base_model_name_or_path"] = baseModel ?? Common(configs, "base_model_name_or_path"),
            ["bias"] = Bias(configs, saved, modulesToSave),
            ["fan_in_fan_out"] = fanInFanOut,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["layers_pattern"] = null,
            ["layers_to_transform"] = null,
            ["lora_alpha"] = common,
            ["lora_dropout"] = 0.0,
            ["modules_to_save"] = saved.Count == 0 ? null : List(modulesToSave.Count > 0 ? modulesToSave : Modules(saved)),
            ["peft_type"] = "LORA",
            ["r"] = common,
            ["rank_pattern"] = patterns,
            ["revision"] = baseModel is null || baseModel == Common(configs, "base_model_name_or_path") ? Same(configs, "revision") : null,
            ["target_modules"] = List(Targets(configs, ranks.Keys, allModules)),
            ["task_type"] = Common(configs, "task_type"),
            ["use_dora"] = false,
            ["use_rslora"] = false,
        };
        return config.ToJsonString(Indented) + "\n";
    }

    // The first key that matches holds, and one module's name may end in another's: then each stands by its own, longest
    // first.
    private static IEnumerable<KeyValuePair<string, int>> Patterns(IReadOnlyDictionary<string, int> ranks, int common)
    {
        KeyValuePair<string, int>[] others = [.. ranks.Where(r => r.Value != common).OrderBy(r => r.Key, StringComparer.Ordinal)];
        return others.Length == 0 || ranks.All(r => RankBy(others, r.Key, common) == r.Value)
            ? others : ranks.OrderByDescending(r => r.Key.Length).ThenBy(r => r.Key, StringComparer.Ordinal);
    }

    private static int RankBy(KeyValuePair<string, int>[] patterns, string module, int common) => patterns
        .Where(p => module == p.Key || module.EndsWith("." + p.Key, StringComparison.Ordinal)).Select(p => p.Value).FirstOrDefault(common);

    // A pattern's key is a regular expression; dots in names are taken to match dots.
    private static string Key(string module) => module.All(c => char.IsLetterOrDigit(c) || c is '.' or '_' or '-')
        ? module : System.Text.RegularExpressions.Regex.Escape(module);

    // Short names, as the adapters have them, where they say all; else every module by its full name.
    private static IEnumerable<string> Targets(
        AdapterConfig[] configs, IEnumerable<string> modules, IReadOnlyList<string> allModules)
    {
        if (configs.Length == 0)
        {
            var ranked = modules.ToHashSet(StringComparer.Ordinal);
            var lasts = ranked.Select(Last).ToHashSet(StringComparer.Ordinal);
            return (allModules.Where(m => lasts.Contains(Last(m))).All(ranked.Contains) ? lasts : ranked)
                .Order(StringComparer.Ordinal);
        }
        var isPlain = configs.All(c => c.Json["target_modules"] is JsonArray
            && c.Json["layers_to_transform"] is null && c.Json["exclude_modules"] is null);
        var names = modules.ToList();
        var targets = Union(configs, "target_modules");
        return isPlain && names.All(n => targets.Any(t => n == t || n.EndsWith("." + t, StringComparison.Ordinal)))
            ? targets : names.Order(StringComparer.Ordinal);
    }

    private static string Last(string module) => module[(module.LastIndexOf('.') + 1)..];

    private static List<string> Union(AdapterConfig[] configs, string key) =>
    [
        .. configs.SelectMany(c => c.Json[key] as JsonArray ?? []).Select(AdapterConfig.TextOf).OfType<string>()
            .Distinct().Order(StringComparer.Ordinal),
    ];

    private static string? Common(AdapterConfig[] configs, string key)
    {
        string?[] values = [.. configs.Select(c => AdapterConfig.TextOf(c.Json[key])).Distinct()];
        return values.Length == 1 ? values[0] : null;
    }

    /// <summary>What all of them say, whatever it is.</summary>
    private static JsonNode? Same(AdapterConfig[] configs, string key) =>
        configs.Length > 0 && configs.All(c => JsonNode.DeepEquals(c.Json[key], configs[0].Json[key])) ? configs[0].Json[key]?.DeepClone() : null;

    private static string Bias(AdapterConfig[] configs, IReadOnlyCollection<string> saved, List<string> modulesToSave)
    {
        var isOther = saved.Any(p => p.EndsWith(".bias", StringComparison.Ordinal)
            && !modulesToSave.Any(m => ("." + p).Contains($".{m}.", StringComparison.Ordinal)));
        if (!isOther || configs.Length == 0)
            return "none";
        return configs.Any(c => AdapterConfig.TextOf(c.Json["bias"]) == "all") ? "all" : "lora_only";
    }

    private static IEnumerable<string> Modules(IEnumerable<string> saved) =>
        saved.Where(p => p.Contains('.')).Select(p => p[..p.LastIndexOf('.')]).Distinct().Order(StringComparer.Ordinal);

    private static JsonArray List(IEnumerable<string> names) => [.. names.Select(n => (JsonNode)n)];
}

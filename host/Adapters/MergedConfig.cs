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
    /// <param name="allModules">Of an extraction all modules of the model, of whatever kind.</param>
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
        var (common, patterns) = Ranks(ranks);
        var listed = Union(configs, "modules_to_save");
        string[] biases = [.. saved.Where(p => IsBias(p, saved, ranks.Keys, listed, configs.Length == 0))];
        var adapted = ranks.Keys.SelectMany(Holders).ToHashSet(StringComparer.Ordinal);
        // A name would take the factors below it away: what is saved beside them has none.
        string[] whole = [.. Wrapped(Modules(saved.Except(biases)).Where(m => !adapted.Contains(m)))];
        var config = new JsonObject
        {
            ["alpha_pattern"] = patterns.DeepClone(),
            ["auto_mapping"] = Same(configs, "auto_mapping"),
            ["base_model_name_or_path"] = baseModel ?? Common(configs, "base_model_name_or_path"),
            ["bias"] = biases.Length == 0 ? "none" : configs.Any(c => AdapterConfig.TextOf(c.Json["bias"]) == "all") ? "all" : "lora_only",
            ["fan_in_fan_out"] = fanInFanOut,
            ["inference_mode"] = true,
            ["init_lora_weights"] = true,
            ["layers_pattern"] = null,
            ["layers_to_transform"] = null,
            ["lora_alpha"] = common,
            ["lora_dropout"] = 0.0,
            ["modules_to_save"] = whole.Length == 0 ? null : List(WholeNames(listed, [.. whole], [.. ranks.Keys, .. allModules])),
            ["peft_type"] = "LORA",
            ["r"] = common,
            ["rank_pattern"] = patterns,
            ["revision"] = baseModel is null || baseModel == Common(configs, "base_model_name_or_path") ? Same(configs, "revision") : null,
            ["target_modules"] = Targets(configs, [.. ranks.Keys], allModules),
            ["task_type"] = Common(configs, "task_type"),
            ["use_dora"] = false,
            ["use_rslora"] = false,
        };
        return config.ToJsonString(Indented) + "\n";
    }

    /// <summary>The rank of most modules, and by pattern those of the others.</summary>
    public static (int Common, JsonObject Pattern) Ranks(IReadOnlyDictionary<string, int> ranks)
    {
        var common = ranks.Count == 0 ? 1 : ranks.Values.GroupBy(r => r).OrderByDescending(g => g.Count()).ThenBy(g => g.Key).First().Key;
        return (common, new JsonObject(Patterns(ranks, common).Select(p => KeyValuePair.Create(Key(p.Key), (JsonNode?)p.Value))));
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
        .Where(p => AdapterNames.EndsIn(module, p.Key)).Select(p => p.Value).FirstOrDefault(common);

    // A pattern's key is a regular expression; dots in names are taken to match dots.
    private static string Key(string module) => module.All(c => char.IsLetterOrDigit(c) || c is '.' or '_' or '-')
        ? module : System.Text.RegularExpressions.Regex.Escape(module);

    // Short names, as the adapters have them, where they say all; else every module by its full name.
    private static JsonNode Targets(AdapterConfig[] configs, List<string> modules, IReadOnlyList<string> allModules)
    {
        if (configs.Length == 0)
            return Extracted(modules, allModules);
        var isPlain = configs.All(c => c.Json["target_modules"] is JsonArray
            && c.Json["layers_to_transform"] is null && c.Json["exclude_modules"] is null);
        var targets = Union(configs, "target_modules");
        return List(isPlain && modules.All(n => targets.Any(t => AdapterNames.EndsIn(n, t)))
            ? targets : modules.Order(StringComparer.Ordinal));
    }

    // A short name stands for all modules that end in it, containers and those without weights included: it must mean
    // those that are adapted and no other. A full name may itself be another's end; only a regular expression of whole
    // names says what is meant then.
    private static JsonNode Extracted(List<string> modules, IReadOnlyList<string> allModules)
    {
        var adapted = modules.ToHashSet(StringComparer.Ordinal);
        var meant = allModules.Where(m => !adapted.Contains(m)).SelectMany(Ends).ToHashSet(StringComparer.Ordinal);
        if (modules.Any(meant.Contains))
        {
            return JsonValue.Create(string.Join('|', modules.Order(StringComparer.Ordinal)
                .Select(m => string.Join(@"\.", m.Split('.').Select(System.Text.RegularExpressions.Regex.Escape)))));
        }
        return List(modules.Select(m => meant.Contains(Last(m)) || Last(m).All(char.IsAsciiDigit) ? m : Last(m))
            .Distinct().Order(StringComparer.Ordinal));
    }

    // Short names as the adapters have them, where they hit what is brought whole and nothing else that is known; else full ones.
    private static IEnumerable<string> WholeNames(List<string> listed, List<string> whole, HashSet<string> known)
    {
        known.ExceptWith(whole);
        string[] meant = [.. listed.Where(l => whole.Any(w => Holders(w).Any(h => IsSaved(l, h))) && !known.Any(k => IsSaved(l, k)))];
        return meant.Concat(whole.Where(w => !Holders(w).Any(h => meant.Any(l => IsSaved(l, h)))))
            .Distinct().Order(StringComparer.Ordinal);
    }

    /// <summary>Whether a name in PEFT's modules_to_save hits a module: any that ends in it, whatever stands before.</summary>
    public static bool IsSaved(string name, string module) => module.EndsWith(name, StringComparison.Ordinal);

    /// <summary>Modules of which no name of another takes a holder already: PEFT wraps none inside another.</summary>
    public static IEnumerable<string> Wrapped(IEnumerable<string> modules)
    {
        string[] all = [.. modules.Distinct()];
        return all.Where(m => !Holders(m).Skip(1).Any(h => all.Any(a => IsSaved(a, h))));
    }

    /// <summary>A module and all that hold it.</summary>
    public static IEnumerable<string> Holders(string module) => AdapterNames.Holders(module).Prepend(module);

    /// <summary>A name and whatever follows one of its dots: the targets that would hit it.</summary>
    private static IEnumerable<string> Ends(string module)
    {
        yield return module;
        for (var dot = module.IndexOf('.'); dot >= 0; dot = module.IndexOf('.', dot + 1))
            yield return module[(dot + 1)..];
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

    // What the setting 'bias' speaks for. PEFT wraps a module to save whole, and leaves its factors out.
    private static bool IsBias(
        string parameter, IReadOnlyCollection<string> saved, IEnumerable<string> adapted, List<string> listed, bool isExtracted)
    {
        if (!parameter.EndsWith(".bias", StringComparison.Ordinal))
            return false;
        var module = parameter[..^".bias".Length];
        return adapted.Contains(module)
            || (!isExtracted && !saved.Contains(module + ".weight") && !listed.Any(m => ("." + parameter).Contains($".{m}.", StringComparison.Ordinal)));
    }

    private static IEnumerable<string> Modules(IEnumerable<string> saved) =>
        saved.Where(p => p.Contains('.')).Select(p => p[..p.LastIndexOf('.')]).Distinct().Order(StringComparer.Ordinal);

    private static JsonArray List(IEnumerable<string> names) => [.. names.Select(n => (JsonNode)n)];
}

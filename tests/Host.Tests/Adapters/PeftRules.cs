using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Merge.Adapters;
using Merge.Checkpoints;

namespace Host.Tests.Adapters;

/// <summary>
/// What PEFT asks of an adapter's folder when it loads it, by rules of its own and not by the reader's: which settings it
/// knows, which modules it puts factors into, which rank and scale each gets, and under which names it looks for them.
/// </summary>
/// <param name="IsOlder">As of release 0.9; else as of 0.17.</param>
internal sealed record PeftRules(bool IsOlder)
{
    private static readonly string[] OlderSettings =
    [
        "peft_type", "auto_mapping", "base_model_name_or_path", "revision", "task_type", "inference_mode", "r", "target_modules",
        "lora_alpha", "lora_dropout", "fan_in_fan_out", "bias", "use_rslora", "modules_to_save", "init_lora_weights",
        "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern", "megatron_config", "megatron_core", "loftq_config",
        "use_dora", "layer_replication",
    ];

    private static readonly string[] NewerSettings =
    [
        .. OlderSettings, "exclude_modules", "eva_config", "corda_config", "runtime_config", "lora_bias", "trainable_token_indices",
        "target_parameters", "use_qalora", "qalora_group_size",
    ];

    private const string Prefix = "base_model.model.";

    /// <summary>The change of every weight that is loaded, as it is stored, and the whole parameters. Fails on anything
    /// that PEFT would refuse, or would load as something else than it is.</summary>
    /// <param name="folder">The adapter.</param>
    /// <param name="weights">The model's parameters.</param>
    public (Dictionary<string, double[]> Changes, HashSet<string> Saved) Load(string folder, IReadOnlyDictionary<string, long[]> weights)
    {
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "adapter_config.json")))!.AsObject();
        Assert.Empty(config.Select(c => c.Key).Except(IsOlder ? OlderSettings : NewerSettings));
        Assert.Equal("LORA", (string?)config["peft_type"]);
        Assert.False((bool)config["use_dora"]!);
        Assert.IsType<JsonArray>(config["target_modules"]);
        Assert.True((int)config["r"]! >= 1);
        using var file = Checkpoint.Open(Path.Combine(folder, "adapter_model.safetensors"));
        var expected = new HashSet<string>(StringComparer.Ordinal);
        var changes = new Dictionary<string, double[]>(StringComparer.Ordinal);
        foreach (var (weight, shape) in weights.Where(w => w.Key.EndsWith(".weight", StringComparison.Ordinal)))
        {
            var module = weight[..^".weight".Length];
            if (!Targets(config).Any(t => module == t || module.EndsWith("." + t, StringComparison.Ordinal)))
                continue;
            var isEmbedding = module.EndsWith("embed_tokens", StringComparison.Ordinal);
            var (nameA, nameB) = isEmbedding
                ? ($"{Prefix}{module}.lora_embedding_A", $"{Prefix}{module}.lora_embedding_B")
                : ($"{Prefix}{module}.lora_A.weight", $"{Prefix}{module}.lora_B.weight");
            if (!file.Tensors.ContainsKey(nameA) && !file.Tensors.ContainsKey(nameB))
                continue; // PEFT leaves B at zero: no change.
            var rank = Value(config, "rank_pattern", "r", module);
            var alpha = Value(config, "alpha_pattern", "lora_alpha", module);
            var isTransposed = isEmbedding || (bool)config["fan_in_fan_out"]!;
            var (outputs, inputs) = isTransposed ? (shape[1], shape[0]) : (shape[0], shape[1]);
            Assert.Equal(new[] { (long)rank, inputs }, file.Tensors[nameA].Shape.ToArray());
            Assert.Equal(new[] { outputs, (long)rank }, file.Tensors[nameB].Shape.ToArray());
            expected.UnionWith([nameA, nameB]);
            var scale = alpha / ((bool)config["use_rslora"]! ? Math.Sqrt(rank) : rank);
            changes[weight] = Product(WrittenTensors.Values(file.Tensors[nameA]), WrittenTensors.Values(file.Tensors[nameB]), (int)rank, scale, isTransposed);
        }
        var saved = new HashSet<string>(StringComparer.Ordinal);
        // A module to save is whatever ends in a name; PEFT looks for all that it holds.
        string[] toSave = [.. (config["modules_to_save"] as JsonArray ?? []).Select(m => (string)m!)];
        foreach (var parameter in weights.Keys.Where(w => toSave.Any(s => w[..w.LastIndexOf('.')].EndsWith(s, StringComparison.Ordinal))))
            Assert.Contains(Prefix + parameter, file.Tensors.Keys);
        foreach (var name in file.Tensors.Keys.Except(expected))
        {
            // Whole parameters: of modules to save, or biases where the config says so; a module with factors wraps its own.
            Assert.StartsWith(Prefix, name);
            var parameter = name[Prefix.Length..].Replace(".base_layer.", ".");
            Assert.Contains(parameter, weights.Keys);
            Assert.True(
                toSave.Any(s => parameter[..parameter.LastIndexOf('.')].EndsWith(s, StringComparison.Ordinal))
                || (parameter.EndsWith(".bias", StringComparison.Ordinal) && (string)config["bias"]! is "all" or "lora_only"),
                $"PEFT would not load '{name}'");
            saved.Add(parameter);
        }
        return (changes, saved);
    }

    // Newer releases: each pattern by itself. Older ones: the keys of both, and something before a key's dot.
    private double Value(JsonObject config, string pattern, string common, string module)
    {
        string[] own = [.. config[pattern]!.AsObject().Select(p => p.Key)];
        string[] keys = IsOlder
            ? [.. config["rank_pattern"]!.AsObject().Select(p => p.Key), .. config["alpha_pattern"]!.AsObject().Select(p => p.Key)] : own;
        var key = keys.FirstOrDefault(k => Regex.IsMatch(module, IsOlder ? $@"^.*\.{k}$" : $@"^(.*\.)?({k})$")) ?? module;
        return own.Contains(key) ? (double)config[pattern]![key]! : (double)config[common]!;
    }

    private static string[] Targets(JsonObject config) => [.. config["target_modules"]!.AsArray().Select(t => (string)t!)];

    private static double[] Product(float[] a, float[] b, int rank, double scale, bool isTransposed)
    {
        var (outputs, inputs) = (b.Length / rank, a.Length / rank);
        var change = new double[outputs * inputs];
        for (var i = 0; i < outputs; i++)
        {
            for (var j = 0; j < inputs; j++)
            {
                var sum = 0.0;
                for (var k = 0; k < rank; k++)
                    sum += (double)b[(i * rank) + k] * a[(k * inputs) + j];
                change[isTransposed ? (j * outputs) + i : (i * inputs) + j] = scale * sum;
            }
        }
        return change;
    }
}

using System.Text.Json;

namespace Merge.Benchmarks;

/// <summary>The sizes of a Llama model, and from them its tensors and its config.json.</summary>
internal sealed record LlamaShape(
    int Hidden, int Intermediate, int Layers, int Heads, int KeyValueHeads, int Vocabulary, bool TiedHead)
{
    /// <summary>By the number of parameters; from 1B on those of published models.</summary>
    public static IReadOnlyDictionary<string, LlamaShape> ByParameters { get; } = new Dictionary<string, LlamaShape>
    {
        ["0.001B"] = new(64, 256, 4, 4, 2, 10_000, true),
        ["0.1B"] = new(512, 2048, 16, 8, 2, 64_000, true),
        ["0.5B"] = new(896, 4864, 24, 14, 2, 151_936, true),
        ["1B"] = new(2048, 8192, 16, 32, 8, 128_256, true),
        ["3B"] = new(3072, 8192, 28, 24, 8, 128_256, true),
        ["8B"] = new(4096, 14336, 32, 32, 8, 128_256, false),
        ["70B"] = new(8192, 28672, 80, 64, 8, 128_256, false),
    };

    public IEnumerable<(string Name, long[] Shape)> Tensors()
    {
        long keyValues = Hidden / Heads * KeyValueHeads;
        yield return ("model.embed_tokens.weight", [Vocabulary, Hidden]);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return (prefix + "input_layernorm.weight", [Hidden]);
            yield return (prefix + "mlp.down_proj.weight", [Hidden, Intermediate]);
            yield return (prefix + "mlp.gate_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.up_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "post_attention_layernorm.weight", [Hidden]);
            yield return (prefix + "self_attn.k_proj.weight", [keyValues, Hidden]);
            yield return (prefix + "self_attn.o_proj.weight", [Hidden, Hidden]);
            yield return (prefix + "self_attn.q_proj.weight", [Hidden, Hidden]);
            yield return (prefix + "self_attn.v_proj.weight", [keyValues, Hidden]);
        }

        yield return ("model.norm.weight", [Hidden]);
        if (!TiedHead)
            yield return ("lm_head.weight", [Vocabulary, Hidden]);
    }

    public string Config(Precision precision) => JsonSerializer.Serialize(
        new
        {
            architectures = new[] { "LlamaForCausalLM" },
            model_type = "llama",
            hidden_size = Hidden,
            intermediate_size = Intermediate,
            num_hidden_layers = Layers,
            num_attention_heads = Heads,
            num_key_value_heads = KeyValueHeads,
            head_dim = Hidden / Heads,
            vocab_size = Vocabulary,
            hidden_act = "silu",
            max_position_embeddings = 32768,
            rms_norm_eps = 1e-6,
            rope_theta = 1e6,
            attention_bias = false,
            mlp_bias = false,
            tie_word_embeddings = TiedHead,
            torch_dtype = precision.TorchName,
        },
        Indented);

    private static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true };
}

using System.Runtime.InteropServices;
using Merge.Sdk;

namespace Host.Tests.Planning;

/// <summary>Models with the names of a Llama and 16 numbers a tensor.</summary>
internal static class SmallModels
{
    /// <summary>The first value is <paramref name="tag"/> + 1 + its layer; embedding, norm and head are <paramref name="tag"/>.</summary>
    public static TestTensor[] Llama(int layers, float tag, string prefix = "", string stack = "model.layers.") =>
    [
        Matrix(prefix + "model.embed_tokens.weight", tag),
        .. Enumerable.Range(0, layers).SelectMany(l => Layer(prefix + stack, l, tag)),
        Vector(prefix + "model.norm.weight", tag),
        Matrix(prefix + "lm_head.weight", tag),
    ];

    public static TestTensor[] Layer(string stack, int layer, float tag) =>
    [
        Matrix($"{stack}{layer}.self_attn.q_proj.weight", tag + 1 + layer),
        Matrix($"{stack}{layer}.mlp.up_proj.weight", tag + 1 + layer),
        Vector($"{stack}{layer}.input_layernorm.weight", tag + 1 + layer),
    ];

    /// <summary>2 × 8; the first element is the value, the others are parts of it.</summary>
    public static TestTensor Matrix(string name, float value) => Vector(name, value) with { Shape = [2, 8] };

    private static TestTensor Vector(string name, float value) => new(name, DType.F32, [16],
        MemoryMarshal.AsBytes<float>([.. Enumerable.Range(1, 16).Select(i => value / i)]).ToArray());

    public static string Config(int layers, string more = "") =>
        $$"""{"model_type": "llama", "num_hidden_layers": {{layers}}{{more}}}""";
}

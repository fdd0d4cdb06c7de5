using System.Text.Json.Nodes;
using Merge.Adapters;
using Merge.Checkpoints;

namespace Merge.Planning;

/// <summary>What the output head of a causal model is called that is tied to the embedding, and so not stored. Classes differ
/// (<c>lm_head</c>, <c>embed_out</c>, <c>cls.predictions.decoder</c>, <c>lm_loss</c> …): under a wrong name nobody reads it.</summary>
internal static class CausalHeads
{
    // The modelling code of transformers: model_type, the embedding under the class's prefix, the key tied to it.
    private static readonly (string Embedding, string Head, string[] ModelTypes)[] Known =
    [
        ("model.embed_tokens.weight", AdaptedModel.HeadName,
        [
            "llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "gemma", "gemma2", "gemma3_text",
            "recurrent_gemma", "phi", "phi3", "stablelm", "cohere", "cohere2", "granite", "olmo", "olmo2", "starcoder2",
            "persimmon", "jamba", "xglm",
        ]),
        ("model.decoder.embed_tokens.weight", AdaptedModel.HeadName, ["opt"]),
        ("transformer.wte.weight", AdaptedModel.HeadName, ["gpt2", "gpt_neo", "gptj", "gpt_bigcode", "codegen"]),
        ("transformer.word_embeddings.weight", AdaptedModel.HeadName, ["bloom", "falcon"]),
        ("backbone.embeddings.weight", AdaptedModel.HeadName, ["mamba"]),
        ("gpt_neox.embed_in.weight", "embed_out.weight", ["gpt_neox"]),
    ];

    /// <summary>The head's name; null of a class that is not known, and where names lack the class's prefix: transformers
    /// refuses a head beside them.</summary>
    public static string? NameIn(Checkpoint model) =>
        Class(model) is { } known && TokenEmbedding.Of(model)?.Name == known.Embedding ? known.Head : null;

    /// <summary>Whether the model is stored without its class's prefix, as the class without a head has it.</summary>
    public static bool IsBare(Checkpoint model) => Class(model) is { } known
        && TokenEmbedding.Of(model) is { } embedding && known.Embedding.EndsWith("." + embedding.Name, StringComparison.Ordinal);

    private static (string Embedding, string Head)? Class(Checkpoint model)
    {
        var type = AdapterConfig.TextOf(model.Config?["model_type"]);
        return Known.FirstOrDefault(k => k.ModelTypes.Contains(type)) is { Head: not null } known && IsCausal(model)
            ? (known.Embedding, known.Head) : null;
    }

    private static bool IsCausal(Checkpoint model) => model.Config!["architectures"] is not JsonArray { Count: > 0 } classes
        || classes.Select(AdapterConfig.TextOf).Any(a => a is not null
            && (a.EndsWith("ForCausalLM", StringComparison.Ordinal) || a.EndsWith("LMHeadModel", StringComparison.Ordinal)));
}

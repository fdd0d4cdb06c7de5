using Merge.Planning;
using Merge.Sdk;

namespace Host.Tests.Planning;

public sealed class TensorNamingTests
{
    [Theory]
    // Llama, Mistral, Qwen
    [InlineData("model.embed_tokens.weight", 2, TensorKind.Embedding, null)]
    [InlineData("lm_head.weight", 2, TensorKind.Head, null)]
    [InlineData("model.norm.weight", 1, TensorKind.Norm, null)]
    [InlineData("model.layers.17.self_attn.q_proj.weight", 2, TensorKind.Weight, 17)]
    [InlineData("model.layers.17.self_attn.q_proj.bias", 1, TensorKind.Bias, 17)]
    [InlineData("model.layers.0.input_layernorm.weight", 1, TensorKind.Norm, 0)]
    [InlineData("model.layers.3.self_attn.q_norm.weight", 1, TensorKind.Norm, 3)]
    [InlineData("model.layers.3.mlp.experts.12.w1.weight", 2, TensorKind.Weight, 3)]
    [InlineData("language_model.model.layers.5.mlp.up_proj.weight", 2, TensorKind.Weight, 5)]
    // GPT-2
    [InlineData("wte.weight", 2, TensorKind.Embedding, null)]
    [InlineData("transformer.wpe.weight", 2, TensorKind.Embedding, null)]
    [InlineData("h.11.ln_1.weight", 1, TensorKind.Norm, 11)]
    [InlineData("h.11.ln_1.bias", 1, TensorKind.Norm, 11)]
    [InlineData("transformer.h.11.attn.c_attn.weight", 2, TensorKind.Weight, 11)]
    [InlineData("transformer.ln_f.weight", 1, TensorKind.Norm, null)]
    // BERT
    [InlineData("bert.embeddings.word_embeddings.weight", 2, TensorKind.Embedding, null)]
    [InlineData("bert.embeddings.token_type_embeddings.weight", 2, TensorKind.Embedding, null)]
    [InlineData("bert.embeddings.LayerNorm.weight", 1, TensorKind.Norm, null)]
    [InlineData("bert.encoder.layer.2.attention.self.query.bias", 1, TensorKind.Bias, 2)]
    [InlineData("bert.encoder.layer.2.output.dense.weight", 2, TensorKind.Weight, 2)]
    [InlineData("cls.predictions.decoder.weight", 2, TensorKind.Head, null)]
    [InlineData("classifier.bias", 1, TensorKind.Bias, null)]
    [InlineData("classifier.weight", 2, TensorKind.Head, null)]
    // T5
    [InlineData("shared.weight", 2, TensorKind.Embedding, null)]
    [InlineData("encoder.block.4.layer.0.SelfAttention.q.weight", 2, TensorKind.Weight, 4)]
    [InlineData("decoder.block.9.layer.1.layer_norm.weight", 1, TensorKind.Norm, 9)]
    [InlineData("decoder.final_layer_norm.weight", 1, TensorKind.Norm, null)]
    // ViT, CLIP
    [InlineData("vit.encoder.layer.1.layernorm_before.weight", 1, TensorKind.Norm, 1)]
    [InlineData("blocks.6.norm1.weight", 1, TensorKind.Norm, 6)]
    [InlineData("blocks.6.attn.qkv.weight", 2, TensorKind.Weight, 6)]
    [InlineData("visual.transformer.resblocks.2.mlp.c_fc.weight", 2, TensorKind.Weight, 2)]
    [InlineData("head.weight", 2, TensorKind.Head, null)]
    [InlineData("patch_embed.proj.weight", 4, TensorKind.Weight, null)]
    [InlineData("cls_token", 3, TensorKind.Weight, null)]
    // Mamba
    [InlineData("backbone.embeddings.weight", 2, TensorKind.Embedding, null)]
    [InlineData("backbone.layers.8.mixer.in_proj.weight", 2, TensorKind.Weight, 8)]
    [InlineData("backbone.layers.8.mixer.A_log", 2, TensorKind.Weight, 8)]
    [InlineData("backbone.layers.8.mixer.dt_proj.bias", 1, TensorKind.Bias, 8)]
    [InlineData("backbone.layers.8.norm.weight", 1, TensorKind.Norm, 8)]
    [InlineData("backbone.norm_f.weight", 1, TensorKind.Norm, null)]
    // Nothing known
    [InlineData("w", 1, TensorKind.Weight, null)]
    [InlineData("", 0, TensorKind.Weight, null)]
    [InlineData("layers.99999999999.w", 2, TensorKind.Weight, null)]
    [InlineData("layers.x.w", 2, TensorKind.Weight, null)]
    [InlineData("sublayers.4.w", 2, TensorKind.Weight, null)]
    public void Kind_and_layer_are_read_off_the_name(string name, int rank, TensorKind kind, int? layer)
    {
        var info = TensorNaming.Describe(name, [.. Enumerable.Repeat(2L, rank)]);
        Assert.Equal((kind, layer), (info.Kind, info.Layer));
    }
}

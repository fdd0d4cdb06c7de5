using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>What an extraction writes, against what PEFT would make of it.</summary>
public sealed class ExtractionTests : IDisposable
{
    private const string Query = "model.layers.0.self_attn.q_proj";

    private readonly AdapterBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void An_embedding_that_is_a_target_gets_the_factors_of_an_embedding()
    {
        Models(("model.embed_tokens.weight", [20, 8]), (Query + ".weight", [8, 8]));
        _bench.Extract("out", ["embed_tokens", "q_proj"]);
        using var file = Checkpoint.Open(_bench["out/adapter_model.safetensors"]);
        Assert.Equal(new long[] { 4, 20 }, file.Tensors["base_model.model.model.embed_tokens.lora_embedding_A"].Shape.ToArray());
        Assert.Equal(new long[] { 8, 4 }, file.Tensors["base_model.model.model.embed_tokens.lora_embedding_B"].Shape.ToArray());
        Assert.Equal(4, file.Tensors.Count);
        Assert.Equal(["embed_tokens", "q_proj"], Targets("out"));
        // Rank 4 of 8 cannot hold all of a random change; of one of rank 1 it holds all.
        OneDirection("model.embed_tokens.weight", 20, 8);
        _bench.Extract("one", ["embed_tokens"]);
        using var one = Adapter.Open(_bench["one"]);
        using var tuned = Checkpoint.Open(_bench["tuned"]);
        using var theta0 = Checkpoint.Open(_bench["base"]);
        AdapterBench.IsNear(
            Values(tuned, "model.embed_tokens.weight").Zip(Values(theta0, "model.embed_tokens.weight"), (t, b) => (double)t - b),
            AdapterBench.Delta(one, "model.embed_tokens"), 1e-5);
    }

    [Theory]
    [InlineData("embeddings.position_embedding")]
    [InlineData("decoder.embed_positions")]
    [InlineData("encoder.block.0.layer.0.SelfAttention.relative_attention_bias")]
    [InlineData("visual.pos_embed")]
    [InlineData("user_embedding")]
    [InlineData("codebook.embed")]
    [InlineData("emb")]
    [InlineData("prompt_encoder.point_embeddings.0")]
    [InlineData("transformer.wpe")]
    public void What_is_named_as_an_embedding_is_no_linear_layer(string module)
    {
        Models((module + ".weight", [12, 8]), (Query + ".weight", [8, 8]));
        _bench.Extract("out");
        using var adapter = Adapter.Open(_bench["out"]);
        Assert.Equal([Query], adapter.Modules.Keys);
    }

    [Theory]
    [InlineData("time_embedding.linear_1")]
    [InlineData("patch_embed.proj")]
    [InlineData("x_embedder.mlp")]
    public void A_linear_layer_inside_an_embedding_is_one(string module)
    {
        Models((module + ".weight", [12, 8]));
        _bench.Extract("out");
        using var adapter = Adapter.Open(_bench["out"]);
        Assert.Equal([module], adapter.Modules.Keys);
    }

    [Fact]
    public void A_target_is_short_only_where_it_hits_what_is_adapted_and_nothing_else()
    {
        (string Name, long[] Shape)[] tensors =
        [
            (Query + ".weight", [8, 8]), ("model.layers.1.self_attn.q_proj.weight", [8, 8]),
            ("visual.merger.mlp.0.weight", [8, 8]), ("visual.merger.mlp.2.weight", [8, 8]),
            ("visual.patch_embed.proj.weight", [4, 3, 2, 2]), ("visual.blocks.0.attn.proj.weight", [8, 8]),
            ("a.gate.weight", [8, 8]), ("b.gate.norm.weight", [8]), ("lm_head.weight", [8, 8]), ("head.fc.weight", [8, 8]),
        ];
        Models(tensors);
        _bench.Extract("out");
        Assert.Equal(["a.gate", "fc", "q_proj", "visual.blocks.0.attn.proj", "visual.merger.mlp.0", "visual.merger.mlp.2"], Targets("out"));
        HitsOnlyItsModules("out", tensors);
    }

    [Fact]
    public void A_full_name_that_another_one_ends_in_is_told_from_it_by_a_regular_expression()
    {
        (string Name, long[] Shape)[] tensors = [("proj.weight", [8, 8]), ("enc.proj.weight", [8, 8]), ("dec.x.weight", [8, 8])];
        Models(tensors);
        // PEFT would put factors into 'enc.proj', too, by a list that holds 'proj'.
        WrittenTensors.Write(_bench["tuned/model.safetensors"], tensors.Select((t, i) => (t.Name, t.Shape,
            WrittenTensors.Random(i == 1 ? 101 : 77 + (ulong)i, 64))));
        _bench.Extract("out");
        Assert.Equal(@"dec\.x|proj", (string?)Config("out")["target_modules"]);
        HitsOnlyItsModules("out", tensors);
        using var adapter = Adapter.Open(_bench["out"]);
        Assert.Equal(["dec.x", "proj"], adapter.Modules.Keys);
        Assert.Empty(adapter.Warnings);
    }

    [Fact]
    public void Tensors_of_other_shapes_do_not_matter_where_they_are_no_target()
    {
        _bench.Write("base/model.safetensors", 1, (Query + ".weight", [8, 8]), ("model.embed_tokens.weight", [20, 8]));
        _bench.Write("tuned/model.safetensors", 2, (Query + ".weight", [8, 8]), ("model.embed_tokens.weight", [22, 8]));
        Assert.Equal(["model.embed_tokens.weight"], _bench.Extract("out", ["q_proj"]));
        Assert.Equal(["model.embed_tokens.weight"], _bench.Extract("out"));
        Assert.Empty(_bench.Extract("whole", saved: ["embed_tokens"]));
        using var adapter = Adapter.Open(_bench["whole"]);
        using var tuned = Checkpoint.Open(_bench["tuned"]);
        Assert.Equal(Values(tuned, "model.embed_tokens.weight"), WrittenTensors.Values(adapter.Saved["model.embed_tokens.weight"]));
        var refused = Assert.ThrowsAny<MergeException>(() => _bench.Extract("no", ["embed_tokens"]));
        Assert.Contains("[22, 8] in the model and [20, 8] in the base", refused.Message);
        Assert.Contains("--save embed_tokens", refused.Message);
    }

    [Fact]
    public void A_layer_of_another_shape_is_another_models()
    {
        _bench.Write("base/model.safetensors", 1, (Query + ".weight", [8, 8]), ("x.fc.weight", [8, 8]));
        _bench.Write("tuned/model.safetensors", 2, (Query + ".weight", [8, 8]), ("x.fc.weight", [8, 9]));
        Assert.Contains("x.fc.weight", Assert.ThrowsAny<MergeException>(() => _bench.Extract("no")).Message);
    }

    [Fact]
    public void A_rank_for_no_module_is_refused_with_the_nearest()
    {
        Models((Query + ".weight", [8, 8]));
        var refused = Assert.ThrowsAny<MergeException>(() => _bench.Extract("no", ranks: [("q_porj", 3)]));
        Assert.True(refused.WrongUsage);
        Assert.Contains("q_proj", refused.Message);
        _bench.Extract("out", ranks: [("q_proj", 3)]);
        using var adapter = Adapter.Open(_bench["out"]);
        Assert.Equal(3, adapter.Modules[Query].Rank);
    }

    [Fact]
    public void An_adapter_is_not_extracted_from()
    {
        Models((Query + ".weight", [8, 8]));
        Directory.Delete(_bench["tuned"], recursive: true);
        _bench.New("tuned").Linear(Query, 8, 8, 4).Write();
        Assert.Contains("MODEL is an adapter", Assert.ThrowsAny<MergeException>(() => _bench.Extract("no")).Message);
    }

    [Fact]
    public void A_model_of_gpt2s_kind_is_extracted_as_it_is_stored()
    {
        Models(("h.0.attn.c_proj.weight", [8, 8]), ("h.0.mlp.c_fc.weight", [8, 16]), ("score.weight", [2, 8]));
        foreach (var folder in new[] { "base", "tuned" })
            File.WriteAllText(_bench[folder + "/config.json"], """{"model_type": "gpt2"}""");
        _bench.Extract("out");
        Assert.True((bool)Config("out")["fan_in_fan_out"]!);
        using var file = Checkpoint.Open(_bench["out/adapter_model.safetensors"]);
        Assert.Equal(new long[] { 4, 8 }, file.Tensors["base_model.model.h.0.mlp.c_fc.lora_A.weight"].Shape.ToArray());
        Assert.Equal(new long[] { 16, 4 }, file.Tensors["base_model.model.h.0.mlp.c_fc.lora_B.weight"].Shape.ToArray());
    }

    [Theory]
    [InlineData("embed_tokens")]
    [InlineData("lm_head")]
    public void A_tied_embedding_brings_the_head_with_it(string saved)
    {
        Models((Query + ".weight", [8, 8]), ("model.embed_tokens.weight", [20, 8]));
        foreach (var folder in new[] { "base", "tuned" })
            _bench.WriteText(folder + "/config.json", """{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "tie_word_embeddings": true}""");
        _bench.Extract("out", saved: [saved]);
        using var adapter = Adapter.Open(_bench["out"]);
        using var tuned = Checkpoint.Open(_bench["tuned"]);
        // PEFT wraps the one and leaves the other at the base's weights.
        foreach (var name in new[] { "model.embed_tokens.weight", "lm_head.weight" })
            Assert.Equal(Values(tuned, "model.embed_tokens.weight"), WrittenTensors.Values(adapter.Saved[name]));
        Assert.Equal(["lm_head", "model.embed_tokens"], Config("out")["modules_to_save"]!.AsArray().Select(m => (string)m!));
        var refused = Assert.ThrowsAny<MergeException>(() => _bench.Extract("no", ["embed_tokens"]));
        Assert.True(refused.WrongUsage);
        Assert.Contains("is tied to the output head", refused.Message);
        Assert.Contains("--save embed_tokens", refused.Message);
    }

    [Theory]
    [InlineData("GPTNeoXForCausalLM", "gpt_neox", "gpt_neox.embed_in", "embed_out,gpt_neox.embed_in")]
    [InlineData("BertLMHeadModel", "bert", "bert.embeddings.word_embeddings", "bert.embeddings.word_embeddings")]
    public void A_head_is_brought_only_under_the_name_its_class_reads(string architecture, string type, string embedding, string saved)
    {
        Models((Query + ".weight", [8, 8]), (embedding + ".weight", [20, 8]));
        foreach (var folder in new[] { "base", "tuned" })
            _bench.WriteText(folder + "/config.json", $$"""{"architectures": ["{{architecture}}"], "model_type": "{{type}}", "tie_word_embeddings": true}""");
        _bench.Extract("out", saved: [embedding]);
        Assert.Equal(saved.Split(','), Config("out")["modules_to_save"]!.AsArray().Select(m => (string)m!));
    }

    [Fact]
    public void An_untied_head_is_left_alone()
    {
        Models((Query + ".weight", [8, 8]), ("model.embed_tokens.weight", [20, 8]), ("lm_head.weight", [20, 8]));
        _bench.Extract("out", saved: ["embed_tokens"]);
        using var adapter = Adapter.Open(_bench["out"]);
        Assert.Equal(["model.embed_tokens.weight"], adapter.Saved.Keys);
        _bench.Extract("factored", ["embed_tokens"]);
    }

    [Fact]
    public void A_module_to_save_that_another_ones_name_ends_in_is_refused_unless_that_is_saved_too()
    {
        Models(("fc.weight", [8, 8]), ("aux_fc.weight", [8, 8]), (Query + ".weight", [8, 8]));
        var refused = Assert.ThrowsAny<MergeException>(() => _bench.Extract("no", saved: ["fc"]));
        Assert.True(refused.WrongUsage);
        Assert.Contains("cannot mean 'fc' without 'aux_fc'", refused.Message);
        _bench.Extract("out", saved: ["fc", "aux_fc"]);
        _bench.Extract("other", saved: ["aux_fc"]);
        Assert.Equal(["aux_fc"], Config("other")["modules_to_save"]!.AsArray().Select(m => (string)m!));
    }

    [Fact]
    public void A_module_is_saved_with_all_its_parameters()
    {
        Models((Query + ".weight", [8, 8]), ("model.norm.weight", [8]), ("model.norm.bias", [8]));
        _bench.Extract("out", saved: ["model.norm.weight"]);
        using var adapter = Adapter.Open(_bench["out"]);
        Assert.Equal(["model.norm.bias", "model.norm.weight"], adapter.Saved.Keys);
    }

    [Theory]
    [InlineData("enc.layers.0.self_attn.in_proj_weight")]
    [InlineData("self_attn")]
    public void A_module_is_saved_with_the_modules_inside_it(string saved)
    {
        // PEFT puts no factors below a module to save: torch's MultiheadAttention holds its out_proj.
        const string Layer = "enc.layers.0.";
        Models((Layer + "self_attn.in_proj_weight", [24, 8]), (Layer + "self_attn.in_proj_bias", [24]),
            (Layer + "self_attn.out_proj.weight", [8, 8]), (Layer + "self_attn.out_proj.bias", [8]), (Layer + "linear1.weight", [8, 8]));
        var warnings = _bench.ExtractWarned("out", [saved]);
        using var adapter = Adapter.Open(_bench["out"]);
        Assert.Equal([Layer + "linear1"], adapter.Modules.Keys);
        Assert.Equal(4, adapter.Saved.Count);
        Assert.Equal([Layer + "self_attn"], Saved("out"));
        Assert.Equal(saved == "self_attn" ? [] : new[] { true }, warnings.Select(w => w.Found.Contains("out_proj.weight")));
    }

    [Theory]
    [InlineData("norm", "enc.norm.weight", "enc.norm.sub.weight", "enc.norm")]
    [InlineData("emb.cls", "emb.cls", "emb.q.weight", "emb")]
    public void Nothing_below_a_saved_module_gets_factors(string saved, string parameter, string below, string module)
    {
        Models((parameter, [8]), (below, [8, 8]), (Query + ".weight", [8, 8]));
        _bench.Extract("out", saved: [saved]);
        using var adapter = Adapter.Open(_bench["out"]);
        Assert.Equal([Query], adapter.Modules.Keys);
        Assert.Equal(new[] { parameter, below }.Order(StringComparer.Ordinal), adapter.Saved.Keys);
        Assert.Equal([module], Saved("out"));
    }

    [Fact]
    public void What_a_refusal_advises_works()
    {
        Models(("fc.weight", [8, 8]), ("aux_fc.inner.weight", [8, 8]), (Query + ".weight", [8, 8]));
        Assert.Contains("--save aux_fc.", Assert.ThrowsAny<MergeException>(() => _bench.Extract("no", saved: ["fc"])).Message);
        _bench.Extract("out", saved: ["fc", "aux_fc"]);
        Assert.Equal(["fc"], Saved("out"));
        using var adapter = Adapter.Open(_bench["out"]);
        Assert.Equal(["aux_fc.inner.weight", "fc.weight"], adapter.Saved.Keys);
        Assert.Contains("all that would get factors is saved whole: fc.weight",
            Assert.ThrowsAny<MergeException>(() => _bench.Extract("no", ["fc"], ["fc", "aux_fc"])).Message);
        Assert.Contains("'inner'", Assert.ThrowsAny<MergeException>(() => _bench.Extract("no", ["iner"])).Message);
    }

    [Theory]
    [InlineData("lm_head")]
    [InlineData("embed_tokens")]
    public void A_tied_head_is_no_target_and_is_saved_with_its_bias(string name)
    {
        Models((Query + ".weight", [8, 8]), ("model.embed_tokens.weight", [20, 8]), ("lm_head.bias", [20]));
        foreach (var folder in new[] { "base", "tuned" })
            _bench.WriteText(folder + "/config.json", """{"architectures": ["PhiForCausalLM"], "model_type": "phi", "tie_word_embeddings": true}""");
        Assert.Contains("no --target of that name", Assert.ThrowsAny<MergeException>(() => _bench.Extract("no", [name], ["embed_tokens"])).Message);
        _bench.Extract("out", saved: [name]);
        using var adapter = Adapter.Open(_bench["out"]);
        Assert.Equal(["lm_head.bias", "lm_head.weight", "model.embed_tokens.weight"], adapter.Saved.Keys);
    }

    [Fact]
    public void A_parameter_of_no_module_is_not_saved()
    {
        Models(("cls_token", [8]), (Query + ".weight", [8, 8]));
        var refused = Assert.ThrowsAny<MergeException>(() => _bench.Extract("no", saved: ["cls_token"]));
        Assert.True(refused.WrongUsage);
        Assert.Contains("'cls_token' is a parameter of no module", refused.Message);
    }

    [Theory]
    [InlineData("""{"architectures": ["BertLMHeadModel"], "model_type": "bert", "tie_word_embeddings": true}""", true)]
    [InlineData(null, true)]
    [InlineData("""{"architectures": ["BertLMHeadModel"], "model_type": "bert", "tie_word_embeddings": false}""", false)]
    public void A_head_that_may_be_tied_and_is_not_brought_is_said(string? config, bool isSaid)
    {
        Models((Query + ".weight", [8, 8]), ("bert.embeddings.word_embeddings.weight", [20, 8]));
        foreach (var folder in new[] { "base", "tuned" }.Where(_ => config is not null))
            _bench.WriteText(folder + "/config.json", config!);
        Assert.Equal(isSaid, _bench.ExtractWarned("out", ["word_embeddings"]).Any(w => w.Found.Contains("whatever the model ties to it")));
    }

    [Fact]
    public void Models_with_the_same_layers_are_refused_with_the_reason()
    {
        Models(("norm.weight", [8]));
        foreach (var (folder, seed) in new[] { ("base", 1UL), ("tuned", 2UL) })
        {
            WrittenTensors.Write(_bench[folder + "/model.safetensors"],
                [(Query + ".weight", [8, 8], WrittenTensors.Random(5, 64)), ("lm_head.weight", [9, 8], WrittenTensors.Random(seed, 72))]);
        }
        Assert.Contains("at least one module with factors", Assert.ThrowsAny<MergeException>(() => _bench.Extract("no", saved: ["lm_head"])).Message);
    }

    /// <summary>PEFT's rule: a list names whole names or what follows a dot, a text matches the whole name.</summary>
    private void HitsOnlyItsModules(string folder, (string Name, long[] Shape)[] tensors)
    {
        using var adapter = Adapter.Open(_bench[folder]);
        var all = tensors.SelectMany(t => t.Name.Split('.').SkipLast(1).Select((_, i) => string.Join('.', t.Name.Split('.').Take(i + 1)))).ToHashSet();
        var targets = Config(folder)["target_modules"];
        bool Hits(string module) => targets is JsonArray list
            ? list.Any(t => module == (string)t! || module.EndsWith("." + (string)t!, StringComparison.Ordinal))
            : Regex.IsMatch(module, $"^(?:{(string)targets!})$");
        Assert.Equal(adapter.Modules.Keys.Order(StringComparer.Ordinal), all.Where(Hits).Order(StringComparer.Ordinal));
    }

    private void Models(params (string Name, long[] Shape)[] tensors)
    {
        _bench.Write("base/model.safetensors", 1, tensors);
        _bench.Write("tuned/model.safetensors", 2, tensors);
    }

    private void OneDirection(string name, int rows, int columns)
    {
        var theta0 = WrittenTensors.Random(1, rows * columns);
        var (u, v) = (WrittenTensors.Random(2, rows), WrittenTensors.Random(3, columns));
        WrittenTensors.Write(_bench["base/model.safetensors"], [(name, [rows, columns], theta0)]);
        WrittenTensors.Write(_bench["tuned/model.safetensors"],
            [(name, [rows, columns], [.. theta0.Select((w, i) => w + (u[i / columns] * v[i % columns]))])]);
    }

    private static float[] Values(Checkpoint checkpoint, string name) => WrittenTensors.Values(checkpoint.Tensors[name]);

    private JsonObject Config(string folder) => JsonNode.Parse(File.ReadAllText(_bench[folder + "/adapter_config.json"]))!.AsObject();

    private IEnumerable<string> Saved(string folder) => Config(folder)["modules_to_save"]!.AsArray().Select(t => (string)t!);

    private IEnumerable<string> Targets(string folder) => Config(folder)["target_modules"]!.AsArray().Select(t => (string)t!);
}

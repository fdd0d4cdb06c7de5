using System.Text.Json.Nodes;
using Merge.Checkpoints;

namespace Host.Tests.Adapters;

/// <summary>Adapters of an embedding that the model ties to its output head, against what PEFT does beside the base.</summary>
public sealed class TiedEmbeddingTests : IDisposable
{
    private const string Query = "model.layers.0.q_proj";
    private const string Llama = """{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "tie_word_embeddings": true}""";
    private const string Bake = "merge_method: passthrough\nmodels: [{model: base+a}]\n";

    private readonly AdapterBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void An_adapter_of_a_tied_embedding_leaves_the_head_as_it_was()
    {
        _bench.Write("base/model.safetensors", ("model.embed_tokens.weight", [20, 8]), (Query + ".weight", [6, 8]));
        _bench.WriteText("base/config.json", Llama);
        _bench.New("a").Embedding("model.embed_tokens", 20, 8, 4).Linear(Query, 6, 8, 4).With(c => c.Remove("target_modules")).Write();
        var warning = Assert.Single(_bench.Run(Bake, "out"));
        Assert.Contains("a head of its own", warning.Found);
        using var theta0 = Checkpoint.Open(_bench["base"]);
        using var baked = Checkpoint.Open(_bench["out"]);
        var before = WrittenTensors.Values(theta0.Tensors["model.embed_tokens.weight"]);
        Assert.Equal(before, WrittenTensors.Values(baked.Tensors["lm_head.weight"]));
        Assert.NotEqual(before, WrittenTensors.Values(baked.Tensors["model.embed_tokens.weight"]));
        Assert.False((bool)JsonNode.Parse(File.ReadAllText(_bench["out/config.json"]))!["tie_word_embeddings"]!);
    }

    [Theory]
    [InlineData("""{"architectures": ["TinyModel"]}""")]
    [InlineData("""{"architectures": ["T5ForConditionalGeneration"], "tie_word_embeddings": true}""")]
    [InlineData("{}")]
    public void A_model_that_has_no_head_of_a_causal_model_gets_none(string config)
    {
        _bench.Write("base/model.safetensors", ("embed_tokens.weight", [20, 8]));
        _bench.WriteText("base/config.json", config);
        _bench.New("a").Embedding("embed_tokens", 20, 8, 4).With(c => c.Remove("target_modules")).Write();
        Assert.Contains("whatever the model ties to it", Assert.Single(_bench.Run(Bake, "out")).Found);
        using var baked = Checkpoint.Open(_bench["out"]);
        Assert.Equal(["embed_tokens.weight"], baked.Tensors.Keys);
    }

    [Fact]
    public void A_head_gets_the_name_its_class_reads()
    {
        Model("""{"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "tie_word_embeddings": true}""", "gpt_neox.embed_in");
        Assert.Contains("a head of its own", Assert.Single(_bench.Run(Bake, "out")).Found);
        using var baked = Checkpoint.Open(_bench["out"]);
        Assert.Equal(["embed_out.weight", "gpt_neox.embed_in.weight"], baked.Tensors.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("BertLMHeadModel", "bert", "bert.embeddings.word_embeddings")]
    [InlineData("XLNetLMHeadModel", "xlnet", "transformer.word_embeddings")]
    [InlineData("RobertaForCausalLM", "roberta", "roberta.embeddings.word_embeddings")]
    [InlineData("SomeForCausalLM", "some", "model.embed_tokens")]
    [InlineData("GPT2LMHeadModel", "gpt2", "wte")]
    [InlineData("BloomForCausalLM", "bloom", "word_embeddings")]
    public void A_head_that_would_not_be_read_is_not_made(string architecture, string type, string embedding)
    {
        Model($$"""{"architectures": ["{{architecture}}"], "model_type": "{{type}}", "tie_word_embeddings": true}""", embedding);
        var warning = Assert.Single(_bench.Run(Bake, "out"));
        Assert.Contains("the output head, where it has one", warning.Found);
        Assert.Contains("changes the embedding only", warning.Fix);
        using var baked = Checkpoint.Open(_bench["out"]);
        Assert.Equal([embedding + ".weight"], baked.Tensors.Keys);
        Assert.True((bool)JsonNode.Parse(File.ReadAllText(_bench["out/config.json"]))!["tie_word_embeddings"]!);
    }

    [Fact]
    public void A_head_beside_names_without_a_prefix_is_refused()
    {
        Model("""{"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "tie_word_embeddings": true}""", "wte");
        _bench.New("a").Linear("lm_head", 20, 8, 4).With(c => c["target_modules"] = new JsonArray("lm_head")).Write();
        Assert.Contains("'wte.weight' has no prefix", _bench.Refused(Bake).Message);
    }

    [Fact]
    public void A_base_layer_that_the_adapter_brings_is_the_heads_as_well()
    {
        var brought = WrittenTensors.Random(42, 160);
        Model(Llama, "model.embed_tokens", a => a.Add("base_model.model.model.embed_tokens.base_layer.weight", [20, 8], brought));
        Assert.Single(_bench.Run(Bake, "out"));
        using var baked = Checkpoint.Open(_bench["out"]);
        Assert.Equal(brought, WrittenTensors.Values(baked.Tensors["lm_head.weight"]));
        Assert.NotEqual(brought, WrittenTensors.Values(baked.Tensors["model.embed_tokens.weight"]));
    }

    [Fact]
    public void An_adapter_that_ties_its_own_parts_changes_the_head_with_the_embedding()
    {
        Model(Llama, "model.embed_tokens", a => a.Config["ensure_weight_tying"] = true);
        Assert.Empty(_bench.Run(Bake, "out"));
        using (var baked = Checkpoint.Open(_bench["out"]))
            Assert.Equal(["model.embed_tokens.weight"], baked.Tensors.Keys);
        Assert.True((bool)JsonNode.Parse(File.ReadAllText(_bench["out/config.json"]))!["tie_word_embeddings"]!);
        // Beside one that does not, the head gets what is tied and no more.
        _bench.New("b", 2).Embedding("model.embed_tokens", 20, 8, 4).With(c => c.Remove("target_modules")).Write();
        _bench.Run("merge_method: passthrough\nmodels: [{model: base+a+b}]\n", "both");
        _bench.Run(Bake, "one");
        using var both = Checkpoint.Open(_bench["both"]);
        using var one = Checkpoint.Open(_bench["one"]);
        Assert.Equal(WrittenTensors.Values(one.Tensors["model.embed_tokens.weight"]), WrittenTensors.Values(both.Tensors["lm_head.weight"]));
        Assert.NotEqual(WrittenTensors.Values(both.Tensors["model.embed_tokens.weight"]), WrittenTensors.Values(both.Tensors["lm_head.weight"]));
    }

    [Fact]
    public void A_model_without_a_config_may_tie_its_head_and_that_is_said()
    {
        Model(Llama, "model.embed_tokens");
        File.Delete(_bench["base/config.json"]);
        Assert.Contains("without a config.json", Assert.Single(_bench.Run(Bake, "out")).Found);
        _bench.Write("base/model.safetensors", ("model.embed_tokens.weight", [20, 8]), ("lm_head.weight", [20, 8]));
        Assert.Empty(_bench.Run(Bake, "untied"));
    }

    private void Model(string config, string embedding, Action<TinyAdapter>? more = null)
    {
        _bench.Write("base/model.safetensors", (embedding + ".weight", [20, 8]));
        _bench.WriteText("base/config.json", config);
        var adapter = _bench.New("a").Embedding(embedding, 20, 8, 4).With(c => c.Remove("target_modules"));
        more?.Invoke(adapter);
        adapter.Write();
    }
}

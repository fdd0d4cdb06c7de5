using System.Text.Json.Nodes;
using Host.Tests.Checkpoints;
using Merge.Adapters;
using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>Adapters that mean something else than they seem to, or nothing, are refused by module and by name.</summary>
public sealed class AdapterErrorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_missing_half_of_a_pair_names_the_module() =>
        Refused(Good().Without("base_model.model.layers.0.q_proj.lora_B.weight"), "layers.0.q_proj", "no B");

    [Fact]
    public void A_rank_that_is_not_the_configs_names_the_module()
    {
        var adapter = Good();
        adapter.Config["r"] = 8;
        Refused(adapter, "layers.0.q_proj", "rank 4", "rank 8");
    }

    [Fact]
    public void Factors_that_do_not_fit_name_the_module() => Refused(
        New().Add("base_model.model.x.lora_A.weight", [4, 6], new float[24]).Add("base_model.model.x.lora_B.weight", [6, 5], new float[30]),
        "x", "[4, 6]", "[6, 5]");

    [Fact]
    public void A_config_without_tensors_is_refused()
    {
        Directory.CreateDirectory(_folder["a"]);
        File.WriteAllText(_folder["a/adapter_config.json"], New().Config.ToJsonString());
        Assert.Contains("no tensors", Assert.ThrowsAny<MergeException>(() => Adapter.Open(_folder["a"])).Message);
    }

    [Fact]
    public void Tensors_without_a_config_are_refused()
    {
        Good().Write();
        File.Delete(_folder["a/adapter_config.json"]);
        Assert.Contains("no config", Assert.ThrowsAny<MergeException>(() => Adapter.Open(_folder["a"])).Message);
    }

    [Fact]
    public void Tensors_that_are_no_factors_are_refused() =>
        Refused(New().Add("model.embed.weight", [4, 4], new float[16]), "model.embed.weight", "no tensor is a LoRA factor");

    [Theory]
    [InlineData("pissa", "PiSSA")]
    [InlineData("pissa_niter_16", "PiSSA")]
    [InlineData("olora", "OLoRA")]
    [InlineData("corda", "CorDA")]
    [InlineData("loftq", "LoftQ")]
    [InlineData("lora_ga", "LoRA-GA")]
    public void Initialisations_that_change_the_base_are_refused(string init, string name)
    {
        var adapter = Good();
        adapter.Config["init_lora_weights"] = init;
        Refused(adapter, name);
    }

    [Theory]
    [InlineData("gaussian")]
    [InlineData("eva")]
    [InlineData("orthogonal")]
    public void Initialisations_that_leave_the_base_alone_are_read(string init)
    {
        var adapter = Good();
        adapter.Config["init_lora_weights"] = init;
        using var opened = adapter.Open();
        Assert.Single(opened.Modules);
        Assert.Empty(opened.Warnings);
    }

    [Fact]
    public void An_initialisation_nobody_knows_is_a_warning_with_its_name()
    {
        var adapter = Good();
        adapter.Config["init_lora_weights"] = "svd_of_tomorrow";
        using var opened = adapter.Open();
        Assert.Contains("svd_of_tomorrow", Assert.Single(opened.Warnings).Found);
    }

    [Fact]
    public void Half_a_pair_is_found_on_either_side_and_in_embeddings()
    {
        Refused(Good("x").Without("base_model.model.layers.0.q_proj.lora_A.weight"), "layers.0.q_proj", "no A");
        Refused(New("y").Embedding("embed_tokens", 9, 5, 4).Without("base_model.model.embed_tokens.lora_embedding_B"), "embed_tokens", "no B");
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_factor_that_is_not_finite_is_refused_wherever_it_stands(float value)
    {
        // In whole registers, and in what they leave.
        foreach (var at in new[] { 0, 17, 32 })
        {
            var factor = new float[33];
            factor[at] = value;
            WrittenTensors.Write(_folder["f.safetensors"], [("f", [33], factor)]);
            using var file = Merge.Checkpoints.Checkpoint.Open(_folder["f.safetensors"]);
            Assert.Contains("NaN or an infinity", Assert.Throws<Merge.Checkpoints.InputFault>(() => FactorValues.Read(file.Tensors["f"])).Message);
        }
    }

    [Fact]
    public void An_alpha_of_zero_is_a_warning()
    {
        var adapter = Good();
        adapter.Config["lora_alpha"] = 0;
        using var opened = adapter.Open();
        Assert.Contains("alpha is 0 in all modules", Assert.Single(opened.Warnings).Found);
    }

    [Fact]
    public void A_factor_beyond_what_an_array_holds_is_refused_in_words() => Assert.Contains(
        "too large to be worked on", Assert.ThrowsAny<MergeException>(() => FactorValues.Array("x", 1L << 32)).Message);

    [Fact]
    public void The_largest_numbers_are_finite()
    {
        WrittenTensors.Write(_folder["f.safetensors"], [("f", [20], [.. Enumerable.Repeat(float.MaxValue, 19), float.MinValue])]);
        using var file = Merge.Checkpoints.Checkpoint.Open(_folder["f.safetensors"]);
        Assert.Equal(float.MinValue, FactorValues.Read(file.Tensors["f"])[^1]);
    }

    [Fact]
    public void Scaling_rounds_once_from_float64()
    {
        var values = WrittenTensors.Random(5, 37);
        var scaled = values.ToArray();
        Factors.Scale(scaled, 1.0 / 3);
        Assert.Equal(values.Select(v => (float)(1.0 / 3 * v)), scaled);
    }

    [Theory]
    [InlineData("target_parameters", "[\"experts.gate\"]")]
    [InlineData("lora_bias", "true")]
    [InlineData("trainable_token_indices", "[1, 2]")]
    [InlineData("layer_replication", "[[0, 4], [2, 5]]")]
    [InlineData("alora_invocation_tokens", "[5]")]
    public void What_adds_more_than_factors_is_refused_by_name(string key, string value)
    {
        var adapter = Good();
        adapter.Config[key] = JsonNode.Parse(value);
        Refused(adapter, key);
    }

    [Theory]
    [InlineData("layer_replication", "[[0, 4], [2, 5]]")]
    [InlineData("use_qalora", "true")]
    [InlineData("peft_type", "\"POLY\"")]
    public void What_peft_does_not_merge_is_not_sent_there(string key, string value)
    {
        var adapter = Good();
        adapter.Config[key] = JsonNode.Parse(value);
        var message = Assert.ThrowsAny<MergeException>(() => adapter.Open().Dispose()).Message;
        Assert.Contains("use it with PEFT, beside its base", message);
        Assert.DoesNotContain("merge_and_unload", message);
    }

    [Theory]
    [InlineData("loftq", false)]
    [InlineData("corda", true)]
    public void Only_what_peft_converts_is_sent_to_its_conversion(string init, bool isConverted)
    {
        var adapter = Good();
        adapter.Config["init_lora_weights"] = init;
        var message = Assert.ThrowsAny<MergeException>(() => adapter.Open().Dispose()).Message;
        Assert.Equal(isConverted, message.Contains("path_initial_model_for_weight_conversion", StringComparison.Ordinal));
    }

    [Fact]
    public void Another_kind_of_adapter_is_refused()
    {
        var adapter = Good();
        adapter.Config["peft_type"] = "IA3";
        Refused(adapter, "IA3");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"8\"")]
    [InlineData("1e300")]
    public void A_scale_that_is_no_number_is_refused(string alpha)
    {
        var adapter = Good();
        adapter.Config["lora_alpha"] = JsonNode.Parse(alpha);
        Refused(adapter, alpha == "1e300" ? "no finite number" : "'lora_alpha' is");
    }

    [Fact]
    public void An_unknown_setting_is_a_warning()
    {
        var adapter = Good();
        adapter.Config["something_new"] = true;
        using var opened = adapter.Open();
        Assert.Contains("something_new", Assert.Single(opened.Warnings).Found);
    }

    [Theory]
    [InlineData("use_something_new", "true")]
    [InlineData("use_something_new", "1")]
    [InlineData("use_qalora", "\"True\"")]
    [InlineData("something_new_config", "{\"rank\": 3}")]
    [InlineData("kasa_config", "{\"beta\": 0.0001}")]
    public void A_setting_named_as_a_variants_is_refused_where_it_is_set(string key, string value)
    {
        var adapter = Good();
        adapter.Config[key] = JsonNode.Parse(value);
        Refused(adapter, key);
        foreach (var unset in new[] { "null", "false", "{}", "[]", "\"\"", "0", "0.0", "\"False\"", "\"none\"" })
        {
            adapter.Config[key] = JsonNode.Parse(unset);
            using var opened = adapter.Open();
            Assert.Empty(opened.Warnings);
        }
    }

    [Fact]
    public void Magnitudes_and_use_dora_go_together()
    {
        var without = Good();
        without.Config["use_dora"] = true;
        Refused(without, "layers.0.q_proj", "no lora_magnitude_vector");
        Refused(Good("b").Add("base_model.model.layers.0.q_proj.lora_magnitude_vector", [6], new float[6]), "use_dora");
    }

    [Theory]
    [InlineData("x.hada_w1_a", "LoHa")]
    [InlineData("x.lokr_w1", "LoKr")]
    [InlineData("x.lora_mid.weight", "Tucker")]
    [InlineData("base_model.model.x.lora_B.bias", "bias of a factor")]
    [InlineData("base_model.model.x.lora_diag", "KaSA")]
    [InlineData("base_model.model.x.lora_new", "'lora_new'")]
    [InlineData("base_model.model.x.lora_mixer.default.weight", "'lora_mixer'")]
    public void Foreign_factors_are_refused_by_name(string tensor, string name) =>
        Refused(Good().Add(tensor, [2], new float[2]), name);

    [Fact]
    public void A_pattern_that_could_backtrack_forever_does_not()
    {
        var adapter = New().Linear(new string('a', 60) + "!", 6, 8, 4);
        adapter.Config["alpha_pattern"] = new JsonObject { ["(a+)+b"] = 3 };
        using var opened = adapter.Open();
        Assert.Equal(2, opened.Modules.Values.Single().Scale);
    }

    private TinyAdapter Good(string name = "a") => New(name).Linear("layers.0.q_proj", 6, 8, 4);

    private TinyAdapter New(string name = "a") => new(_folder[name], 1);

    private static void Refused(TinyAdapter adapter, params string[] words)
    {
        var message = Assert.ThrowsAny<MergeException>(() => adapter.Open().Dispose()).Message;
        Assert.All(words, word => Assert.Contains(word, message));
    }
}

using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>Adapters in files of any name and by any maker: read where their scale is certain, else refused by name, and
/// never merged as models.</summary>
public sealed class ForeignAdapterTests : IDisposable
{
    private const string Module = "unet.down.0.to_q";

    private readonly AdapterBench _bench = new();

    public void Dispose() => _bench.Dispose();

    public static TheoryData<string, string, string> Kinds => new()
    {
        { "base_model.model.l.q_proj.lora_A.weight", "base_model.model.l.q_proj.lora_B.weight", "nothing says their scale" },
        { "l.q_proj.lora_A.default.weight", "l.q_proj.lora_B.default.weight", "nothing says their scale" },
        { Module + ".lora_A.weight", Module + ".lora_B.weight", "nothing says their scale" },
        { Module + ".lora.down.weight", Module + ".lora.up.weight", "nothing says their scale" },
        { "te.q_proj.lora_linear_layer.down.weight", "te.q_proj.lora_linear_layer.up.weight", "nothing says their scale" },
        { "embed_tokens.lora_embedding_A", "embed_tokens.lora_embedding_B", "nothing says their scale" },
        { "attn1.processor.to_q_lora.down.weight", "attn1.processor.to_q_lora.up.weight", "old attention processors" },
        { "lora_unet_x.hada_w1_a", "lora_unet_x.hada_w1_b", "LoHa" },
        { "x.lokr_w1", "x.lokr_w2_a", "LoKr" },
        { "lora_unet_x.diff", "lora_unet_x.diff_b", "LyCORIS" },
        { "lycoris_x.a1.weight", "lycoris_x.b1.weight", "LyCORIS" },
        { "x.oft_R.weight", "x.oft_s", "OFT" },
        { "x.boft_R", "x.boft_s", "BOFT" },
        { "x.ia3_l", "y.ia3_l", "(IA)³" },
        { "x.vera_lambda_b", "x.vera_lambda_d", "VeRA" },
        { "x.lora_E", "x.lora_ranknum", "AdaLoRA" },
        { "x.lora_mid.weight", "x.lora_down.weight", "Tucker" },
        { "x.dora_scale", "x.lora_down.weight", "DoRA scale" },
        { "base_model.model.x.fourierft_spectrum", "base_model.model.y.fourierft_spectrum", "FourierFT" },
        { "x.token_adapter.trainable_tokens_delta", "x.lora_A.weight", "trainable tokens" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Tensors_of_adapters_are_refused_by_name_whatever_their_file_is_called(string first, string second, string why)
    {
        foreach (var (i, place) in new[] { "my1.safetensors", "a/pytorch_lora_weights.safetensors", "b/model.safetensors" }.Index())
            _bench.Write(place, (ulong)i + 1, (first, [4, 4]), (second, [4, 4]));
        foreach (var place in new[] { "my1.safetensors", "a", "b" })
        {
            Assert.True(Adapter.IsAt(_bench[place]), place);
            Assert.Contains(why, Assert.ThrowsAny<MergeException>(() => Adapter.Open(_bench[place]).Dispose()).Message);
        }
        var refused = _bench.Refused(
            "merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n");
        Assert.Contains(why, refused.Message);
        Assert.Equal(2, refused.Diagnostics.Select(d => d.Where!.Split("/model")[0].Split("/pytorch")[0]).Distinct().Count());
    }

    [Theory]
    [InlineData("model.layers.0.mlp.gate.alpha")]
    [InlineData("decoder.act.alpha")]
    [InlineData("layers.0.attn.w_lora.lora.0.weight")]
    [InlineData("layers.0.self_attn.kv_a_proj_with_mqa.weight")]
    [InlineData("model.lora_bench.weight")]
    [InlineData("model.layers.0.down.weight")]
    [InlineData("model.explora_A.weight")]
    public void Ordinary_names_are_no_adapters(string name)
    {
        _bench.Write("m.safetensors", (name, [2, 2]));
        Assert.False(Adapter.IsAt(_bench["m.safetensors"]));
        Assert.Contains("this is no adapter", Assert.ThrowsAny<MergeException>(() => Adapter.Open(_bench["m.safetensors"]).Dispose()).Message);
    }

    [Theory]
    [InlineData(".lora_A.weight", ".lora_B.weight")]
    [InlineData(".lora.down.weight", ".lora.up.weight")]
    public void Factors_with_their_alpha_beside_them_are_read_and_merged_without_a_config(string a, string b)
    {
        foreach (var (i, alpha) in new[] { 6f, 3f }.Index())
        {
            WrittenTensors.Write(_bench[$"d{i}/pytorch_lora_weights.safetensors"],
            [
                (Module + a, [3, 8], WrittenTensors.Random(10 + (ulong)i, 24)),
                (Module + b, [5, 3], WrittenTensors.Random(20 + (ulong)i, 15)),
                (Module + ".alpha", [], [alpha]),
            ]);
        }
        _bench.Run("merge_method: task_arithmetic\nmodels: [{model: d0, parameters: {weight: 1}}, {model: d1, parameters: {weight: -2}}]\n", "out");
        using var first = Adapter.Open(_bench["d0"]);
        using var second = Adapter.Open(_bench["d1"]);
        using var merged = Adapter.Open(_bench["out"]);
        Assert.Equal((2.0, 1.0, 6), (first.Modules[Module].Scale, second.Modules[Module].Scale, merged.Modules[Module].Rank));
        AdapterBench.IsNear(
            AdapterBench.Delta(first, Module).Zip(AdapterBench.Delta(second, Module), (x, y) => x - (2.0 * y)), AdapterBench.Delta(merged, Module));
        Assert.Equal("diffusers", merged.Format);

        _bench.Write("base/model.safetensors", ("down.0.to_q.weight", [5, 8]));
        _bench.Run("merge_method: passthrough\nmodels: [{model: base+d0}]\n", "baked");
        using var theta0 = Checkpoint.Open(_bench["base"]);
        using var baked = Checkpoint.Open(_bench["baked"]);
        AdapterBench.IsNear(
            WrittenTensors.Values(theta0.Tensors["down.0.to_q.weight"]).Zip(AdapterBench.Delta(first, Module), (w, d) => (double)w + d),
            WrittenTensors.Values(baked.Tensors["down.0.to_q.weight"]));
    }

    [Fact]
    public void A_module_without_an_alpha_among_others_with_one_is_refused()
    {
        _bench.Write("d.safetensors", ("x.lora_A.weight", [2, 4]), ("x.lora_B.weight", [4, 2]), ("x.alpha", []),
            ("y.lora_A.weight", [2, 4]), ("y.lora_B.weight", [4, 2]));
        Assert.Contains("y: nothing says its scale", Assert.ThrowsAny<MergeException>(() => Adapter.Open(_bench["d.safetensors"]).Dispose()).Message);
    }

    [Fact]
    public void A_config_says_the_scale_of_tensors_in_a_file_of_another_name()
    {
        _bench.New("a").Linear("q_proj", 6, 8, 4).Write();
        File.Move(_bench["a/adapter_model.safetensors"], _bench["a/pytorch_lora_weights.safetensors"]);
        using var adapter = Adapter.Open(_bench["a"]);
        Assert.Equal(2, adapter.Modules["q_proj"].Scale);
    }

    [Fact]
    public void A_header_says_the_scale_unless_something_else_says_another()
    {
        const string Header = """{"unet.r": 4, "unet.lora_alpha": 12, "unet.alpha_pattern": {"^down.0.to_k": 2}, "te.r": 2}""";
        Write(Header);
        using (var adapter = Adapter.Open(_bench["h/x.safetensors"]))
            Assert.Equal((3.0, 0.5), (adapter.Modules["unet.down.0.to_q"].Scale, adapter.Modules["unet.down.0.to_k"].Scale));
        Write(Header, ("unet.down.0.to_q.alpha", [], [12]));
        Adapter.Open(_bench["h/x.safetensors"]).Dispose();
        Write(Header, ("unet.down.0.to_q.alpha", [], [4]));
        Refused("unet.down.0.to_q: its own alpha gives it scale 1, and the file's header (lora_adapter_metadata, unet) 3");
        Write(Header, ("vae.q.lora_A.weight", [2, 4], new float[8]), ("vae.q.lora_B.weight", [4, 2], new float[8]));
        Refused("vae.q: nothing says its scale");
        Write("""{"unet.r": 3}""");
        Refused("its factors have rank 4, and the file's header (lora_adapter_metadata, unet) gives it rank 3");
        Write("""{"unet.r": 4, "unet.use_dora": true}""");
        Refused("the file's header (lora_adapter_metadata, unet) says DoRA");
        Write("""{"unet.r": 4, "unet.lora_bias": true}""");
        Refused("lora_adapter_metadata, unet: the adapter gives B a bias");
        Write("""{"r": 4""");
        Refused("is no JSON object");
        Write("{}");
        Refused("nothing says their scale");
        Write("""{"r": 4, "lora_alpha": 12}""");
        using (var adapter = Adapter.Open(_bench["h/x.safetensors"]))
            Assert.Equal(3, adapter.Modules["unet.down.0.to_k"].Scale);
        File.WriteAllText(_bench["h/adapter_config.json"], """{"peft_type": "LORA", "r": 4, "lora_alpha": 12}""");
        Adapter.Open(_bench["h/x.safetensors"]).Dispose();
        File.WriteAllText(_bench["h/adapter_config.json"], """{"peft_type": "LORA", "r": 4, "lora_alpha": 4}""");
        Refused("header (lora_adapter_metadata) gives it scale 3, and adapter_config.json 1");

        void Refused(string why) =>
            Assert.Contains(why, Assert.ThrowsAny<MergeException>(() => Adapter.Open(_bench["h/x.safetensors"]).Dispose()).Message);

        void Write(string header, params (string Name, long[] Shape, float[] Values)[] more) => WrittenTensors.Write(
            _bench["h/x.safetensors"],
            [
                ("unet.down.0.to_q.lora_A.weight", [4, 4], new float[16]), ("unet.down.0.to_q.lora_B.weight", [4, 4], new float[16]),
                ("unet.down.0.to_k.lora_A.weight", [4, 4], new float[16]), ("unet.down.0.to_k.lora_B.weight", [4, 4], new float[16]),
                .. more,
            ],
            metadata: new() { ["format"] = "pt", ["lora_adapter_metadata"] = header });
    }

    [Fact]
    public void A_scale_that_config_and_tensors_say_differently_is_refused()
    {
        var adapter = _bench.New("a").Linear("q_proj", 6, 8, 4);
        using (adapter.Add("q_proj.alpha", [], [8]).Open())
        {
        }
        adapter.Config["lora_alpha"] = 16;
        Assert.Contains("scale 2, and adapter_config.json 4", Assert.ThrowsAny<MergeException>(() => adapter.Open().Dispose()).Message);
    }

    [Fact]
    public void A_file_of_kohyas_factors_and_pefts_is_refused()
    {
        var adapter = _bench.New("a").Linear("q_proj", 6, 8, 4)
            .Add("x.lora_down.weight", [4, 8], new float[32]).Add("x.lora_up.weight", [6, 4], new float[24]);
        Assert.Contains("some as PEFT's", Assert.ThrowsAny<MergeException>(() => adapter.Open().Dispose()).Message);
    }

    [Fact]
    public void A_model_with_adapters_that_are_not_merged_into_it_is_refused_as_such()
    {
        foreach (var (i, name) in new[] { "m1", "m2" }.Index())
        {
            _bench.Write(name + "/model.safetensors", (ulong)i + 1, ("layers.0.q_proj.base_layer.weight", [4, 4]),
                ("layers.0.q_proj.lora_A.speech.weight", [2, 4]), ("layers.0.q_proj.lora_B.speech.weight", [4, 2]), ("norm.weight", [4]));
        }
        Assert.Contains("not merged into it", _bench.Refused("merge_method: uniform\nmodels: [m1, m2]\n").Message);
        _bench.Write("plain/model.safetensors", ("norm.weight", [4]));
        Assert.Contains("not merged into it", _bench.Refused("merge_method: uniform\nmodels: [plain, m1]\n").Message);
    }

    [Fact]
    public void What_is_wrong_with_any_of_the_adapters_is_said_at_once()
    {
        _bench.Write("x.safetensors", ("q.hada_w1_a", [2, 2]));
        _bench.Write("y.safetensors", ("q.lokr_w1", [2, 2]));
        var refused = _bench.Refused("merge_method: uniform\nmodels: [x.safetensors, y.safetensors]\n");
        Assert.Contains("LoHa", refused.Message);
        Assert.Contains("LoKr", refused.Message);
    }
}

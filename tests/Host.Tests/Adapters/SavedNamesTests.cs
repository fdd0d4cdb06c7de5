using System.Text.Json.Nodes;
using Merge.Adapters;
using Merge.Checkpoints;

namespace Host.Tests.Adapters;

/// <summary>What an adapter brings whole is told from what PEFT's wrappers hold twice and from what other kinds of adapters have.</summary>
public sealed class SavedNamesTests : IDisposable
{
    private const string Query = "model.layers.0.q_proj";
    private const string Prefix = "base_model.model.";

    private readonly AdapterBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_wrapped_parameter_without_a_twin_is_the_saved_one()
    {
        var head = Good("a").Next(24);
        foreach (var name in new[] { "a", "b" })
        {
            Good(name).Add(Prefix + "lm_head.modules_to_save.weight", [3, 8], head)
                .Add(Prefix + "lm_head.original_module.weight", [3, 8], new float[24])
                .With(c => c["modules_to_save"] = new JsonArray("lm_head")).Write();
        }
        _bench.Write("base/model.safetensors", (Query + ".weight", [6, 8]), ("lm_head.weight", [3, 8]));
        _bench.Run("merge_method: passthrough\nmodels: [{model: base+a}]\n", "baked");
        using var baked = Checkpoint.Open(_bench["baked"]);
        Assert.Equal(head, WrittenTensors.Values(baked.Tensors["lm_head.weight"]));
        _bench.Run("merge_method: uniform\nmodels: [a, b]\n", "out");
        var config = JsonNode.Parse(File.ReadAllText(_bench["out/adapter_config.json"]))!;
        Assert.Equal("lm_head", (string?)Assert.Single(config["modules_to_save"]!.AsArray()));
    }

    [Fact]
    public void A_second_copy_in_a_wrapper_is_left_out_however_deep_it_stands()
    {
        using var adapter = Good("a")
            .Add(Prefix + "score.dense.bias", [3], [1, 2, 3]).Add(Prefix + "score.modules_to_save.dense.bias", [3], new float[3])
            .Add(Prefix + "head.modules_to_save.default.dense.weight", [1, 2], [4, 5]).Open();
        Assert.Equal(["head.dense.weight", "score.dense.bias"], adapter.Saved.Keys);
        Assert.Equal([1, 2, 3], WrittenTensors.Values(adapter.Saved["score.dense.bias"]));
    }

    [Theory]
    [InlineData("q_proj.lora_foo", "'lora_foo'")]
    [InlineData("q_proj.lora_mixer.default.weight", "'lora_mixer'")]
    [InlineData("q_proj.foo_scale", "'foo_scale'")]
    [InlineData("q_proj.base_layer.lora_foo", "'lora_foo'")]
    [InlineData("k_proj.lora_foo", "'lora_foo'")]
    public void A_part_that_plain_lora_does_not_have_is_refused_with_peft_s_prefix_and_without(string part, string named)
    {
        foreach (var prefix in new[] { Prefix, "" })
        {
            var name = prefix + "model.layers.0." + part;
            var refused = Assert.Throws<UnreadAdapterException>(() => Good("a").Add(name, [6], new float[6]).Open().Dispose());
            Assert.Contains($"{named}, a part that plain LoRA does not have", refused.Message);
        }
    }

    [Fact]
    public void A_module_to_save_may_be_named_as_a_part_of_lora_is()
    {
        var adapter = Good("a").Add(Prefix + "model.lora_head.weight", [3, 8], new float[24]);
        Assert.Contains("'lora_head'", Assert.Throws<UnreadAdapterException>(() => adapter.Open().Dispose()).Message);
        using var opened = adapter.With(c => c["modules_to_save"] = new JsonArray("lora_head")).Open();
        Assert.Equal("model.lora_head.weight", Assert.Single(opened.Saved.Keys));
    }

    [Fact]
    public void What_a_wrapper_keeps_of_an_adapted_module_is_the_models_whatever_it_is_called()
    {
        using var adapter = Good("a").Add($"{Prefix}{Query}.base_layer.in_proj_bias", [6], new float[6]).Open();
        Assert.Equal(Query + ".in_proj_bias", Assert.Single(adapter.Saved.Keys));
    }

    private TinyAdapter Good(string name) => _bench.New(name).Linear(Query, 6, 8, 4).With(c => c.Remove("target_modules"));
}

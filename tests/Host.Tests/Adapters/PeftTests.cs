using System.Text.Json.Nodes;
using Merge.Adapters;
using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>What PEFT and diffusers wrote is read, merged and refused, against what they themselves make of it.</summary>
public sealed class PeftTests : IDisposable
{
    private readonly AdapterBench _bench = new();

    public void Dispose() => _bench.Dispose();

    public static TheoryData<string> Read => [.. PeftFixture.Cases("read")];

    [Theory]
    [MemberData(nameof(Read))]
    public void An_adapter_in_its_base_is_what_PEFTs_own_merge_makes_of_it(string name) =>
        IsBaked(Model(name.Split('-')[0]), PeftFixture.At("read", name), PeftFixture.At("read", name, "expected.safetensors"));

    [Fact]
    public void Diffusers_says_the_scales_of_each_component_in_the_files_header()
    {
        IsBaked(PeftFixture.At("diffusers", "base"), PeftFixture.At("diffusers", "adapter"), PeftFixture.At("diffusers", "expected.safetensors"));
        using var adapter = Adapter.Open(PeftFixture.At("diffusers", "adapter"));
        Assert.Equal(
            (5, 2 / 3.0, 10 / 3.0),
            (adapter.Modules["unet.down.0.to_q"].Scale, adapter.Modules["unet.down.0.to_k"].Scale, adapter.Modules["unet.conv"].Scale));
        Assert.Equal(9 / Math.Sqrt(2), adapter.Modules["text_encoder.q_proj"].Scale);
        Assert.Equal("diffusers", adapter.Format);
        Assert.Empty(adapter.Warnings);
    }

    [Fact]
    public void What_is_merged_says_its_scales_in_the_header_and_not_beside_the_factors()
    {
        // diffusers takes one module's rank for the alpha of all where nothing says it, and refuses a header beside alphas.
        var path = PeftFixture.At("diffusers", "adapter");
        _bench.Run($"merge_method: task_arithmetic\nmodels: [{{model: {path}, parameters: {{weight: 0.5}}}}]\n", "out");
        using var one = Adapter.Open(path);
        using var half = Adapter.Open(_bench["out"]);
        Assert.Equal(one.Modules.Keys, half.Modules.Keys);
        foreach (var module in one.Modules.Keys)
            AdapterBench.IsNear(AdapterBench.Delta(one, module).Select(d => 0.5 * d), AdapterBench.Delta(half, module));
        Assert.DoesNotContain(half.Checkpoint.Tensors.Keys, n => n.EndsWith(".alpha", StringComparison.Ordinal));
        var header = JsonNode.Parse(half.Checkpoint.Metadata["lora_adapter_metadata"])!;
        Assert.Equal(
            (3, """{"down.0.to_q":2}""", """{"down.0.to_q":2}""", 2),
            ((int)header["unet.lora_alpha"]!, header["unet.rank_pattern"]!.ToJsonString(), header["unet.alpha_pattern"]!.ToJsonString(), (int)header["text_encoder.r"]!));
        Assert.Equal(["conv", "down.0.to_k", "down.0.to_q"], header["unet.target_modules"]!.AsArray().Select(m => (string)m!));
    }

    [Theory]
    [InlineData("cat", "task_arithmetic", new[] { 0.6, -1.5 }, "", "")]
    [InlineData("linear", "task_arithmetic", new[] { 0.6, -1.5 }, "", "adapter: {combine: peft_linear}\n")]
    [InlineData("svd", "linear", new[] { 0.6, 0.4 }, "", "adapter: {rank: 3}\n")]
    [InlineData("ties_svd", "ties", new[] { 1.0, 1.0 }, ", density: 0.5", "adapter: {rank: 4}\nparameters: {normalize: true, lambda: 1}\n")]
    [InlineData("magnitude_prune_svd", "breadcrumbs", new[] { 0.6, 0.4 }, ", density: 0.5, gamma: 0",
        "adapter: {rank: 4}\nparameters: {normalize: false, lambda: 1}\n")]
    public void Where_PEFTs_add_weighted_adapter_does_the_same_it_comes_to_the_same(
        string name, string method, double[] weights, string parameters, string rest)
    {
        var models = string.Join('\n', weights.Select((w, i) => FormattableString.Invariant(
            $"  - model: {PeftFixture.At("combine", name, i == 0 ? "a" : "b")}\n    parameters: {{weight: {w}{parameters}}}")));
        var basis = method == "linear" ? "" : $"base_model: {Model("llama")}\n";
        _bench.Run($"merge_method: {method}\n{basis}models:\n{models}\n{rest}", "out");
        using var merged = Adapter.Open(_bench["out"]);
        var expected = PeftFixture.Tensors(PeftFixture.At("combine", name, "expected.safetensors"));
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), merged.Modules.Values.Select(m => m.Weight).Order(StringComparer.Ordinal));
        // Its own decomposition and products are float32's.
        foreach (var (weight, (_, values)) in expected)
            AdapterBench.IsNear(values.Select(v => (double)v), AdapterBench.Delta(merged, weight[..^".weight".Length]), 2e-6);
    }

    public static TheoryData<string, string> Refused => new()
    {
        { "pissa", "PiSSA" },
        { "olora", "OLoRA" },
        { "lora_bias", "the bias of a factor" },
        { "trainable_tokens", "single rows of an embedding" },
        { "target_parameters", "parameters inside a module" },
        { "layer_replication", "repeats layers" },
        { "alora", "behind certain tokens only" },
        { "bdlora", "BD-LoRA" },
        { "kasa", "KaSA" },
        { "adalora", "AdaLoRA" },
        { "loha", "LoHa" },
        { "lokr", "LoKr" },
        { "ia3", "(IA)³" },
        { "vera", "VeRA" },
        { "prompt", "PROMPT_TUNING" },
        { "groups", "a convolution of 2 groups" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_more_or_less_than_two_factors_a_module_is_refused_by_name(string kind, string why)
    {
        var path = PeftFixture.At("refused", kind);
        var refused = Assert.ThrowsAny<MergeException>(() => Adapter.Open(path).Dispose());
        Assert.Contains(why, refused.Message);
        Assert.All(refused.Diagnostics, d => Assert.Equal(Severity.Error, d.Severity));
        // What PEFT cannot merge either is not sent there; of all but a factor that does not fit, 'inspect' shows the tensors.
        Assert.Equal(kind is "alora" or "prompt" or "layer_replication", refused.Message.Contains("use it with PEFT, beside its base", StringComparison.Ordinal));
        Assert.Equal(kind != "groups", refused is UnreadAdapterException);
        var other = PeftFixture.At("combine", "cat", "a");
        foreach (var recipe in new[] { $"merge_method: uniform\nmodels: [{path}, {other}]\n", $"merge_method: passthrough\nmodels: [{{model: {Model("llama")}+{path}}}]\n" })
            Assert.Contains(why, _bench.Refused(recipe).Message);
    }

    [Fact]
    public void Every_refused_kind_has_its_reason_here() =>
        Assert.Equal(PeftFixture.Cases("refused"), Refused.Select(r => (string)r[0]).Order(StringComparer.Ordinal));

    [Fact]
    public void What_PEFT_did_not_load_is_not_loaded_here()
    {
        // With bias="all" a wrapped module's bias is there three times: under its own name it is the one that counts.
        using var adapter = Adapter.Open(PeftFixture.At("read", "conv-whole-bias"));
        Assert.Equal(
            ["aux_fc.bias", "aux_fc.weight", "c1.bias", "c3.bias", "d1.bias", "fc.bias", "fc.weight"], adapter.Saved.Keys);
        using var velora = Adapter.Open(PeftFixture.At("read", "llama-velora"));
        Assert.Empty(velora.Saved);
        Assert.Empty(velora.Warnings);
    }

    [Fact]
    public void A_head_that_was_wrapped_with_its_embedding_is_brought_as_a_module_to_save()
    {
        // PEFT's config names the embedding only, and ties the head by ensure_weight_tying, which older releases do not know.
        var path = PeftFixture.At("read", "tied-both");
        _bench.Run($"merge_method: uniform\nmodels: [{path}, {path}]\n", "out");
        var config = JsonNode.Parse(File.ReadAllText(_bench["out/adapter_config.json"]))!;
        Assert.Equal(["embed_tokens", "lm_head", "model.embed_tokens"], config["modules_to_save"]!.AsArray().Select(m => (string)m!));
    }

    private static string Model(string name) => PeftFixture.At("bases", name);

    /// <summary>Changed tensors as expected, all others as they were.</summary>
    private void IsBaked(string model, string adapter, string expected)
    {
        _bench.Run($"merge_method: passthrough\ndtype: float32\nmodels: [{{model: {model}+{adapter}}}]\n", "out");
        var wanted = PeftFixture.Tensors(Path.Combine(model, "model.safetensors"));
        foreach (var (name, tensor) in PeftFixture.Tensors(expected))
            wanted[name] = tensor;
        var made = PeftFixture.Tensors(_bench["out"]);
        Assert.Equal(wanted.Keys.Order(StringComparer.Ordinal), made.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, (shape, values)) in wanted)
        {
            Assert.Equal(shape, made[name].Shape);
            Assert.InRange(PeftFixture.Distance(made[name].Values, values), 0, 1e-6);
        }
    }
}

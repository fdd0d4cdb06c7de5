using System.Text.Json.Nodes;
using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Adapters;

/// <summary>What the headers of diffusers' files say of components is read, kept in merges and named in messages.</summary>
public sealed class HeaderConfigTests : IDisposable
{
    private readonly AdapterBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_merged_header_names_the_components_that_the_inputs_name()
    {
        Write("a", """{"connectors.r": 2, "text_encoder.r": 2, "text_encoder.lora_alpha": 4}""", "connectors.x.q", "text_encoder.q");
        Write("b", """{"new_part.r": 2}""", "new_part.q");
        _bench.Run("merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n", "out");
        using var merged = Adapter.Open(_bench["out"]);
        Assert.Empty(merged.Warnings);
        var header = Header(merged);
        Assert.Equal(
            ["connectors", "new_part", "text_encoder"],
            header.Where(s => s.Key.EndsWith(".r", StringComparison.Ordinal)).Select(s => s.Key[..^2]));
        Assert.DoesNotContain("r", header.Select(s => s.Key));
        Assert.Equal("""["x.q"]""", header["connectors.target_modules"]!.ToJsonString());
    }

    [Fact]
    public void Names_of_a_single_model_stay_those_of_one_whatever_they_begin_with()
    {
        Write("a", """{"r": 2}""", "transformer.q");
        _bench.Run("merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]\n", "out");
        using var merged = Adapter.Open(_bench["out"]);
        Assert.Equal("""["transformer.q"]""", Header(merged)["target_modules"]!.ToJsonString());
    }

    [Fact]
    public void Weights_that_are_stored_transposed_in_a_component_are_so_after_a_merge()
    {
        Write("a", """{"unet.r": 2, "unet.fan_in_fan_out": true, "text_encoder.r": 2}""", "unet.q", "text_encoder.q");
        _bench.Run("merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}]\n", "out");
        using var one = Adapter.Open(_bench["a"]);
        using var merged = Adapter.Open(_bench["out"]);
        foreach (var module in one.Modules.Keys)
            AdapterBench.IsNear(AdapterBench.Delta(one, module).Select(d => (double)d), AdapterBench.Delta(merged, module));
        Assert.Equal((true, false), ((bool)Header(merged)["unet.fan_in_fan_out"]!, (bool)Header(merged)["text_encoder.fan_in_fan_out"]!));
    }

    [Fact]
    public void A_component_stored_transposed_in_one_adapter_only_is_refused()
    {
        Write("a", """{"unet.r": 2, "unet.fan_in_fan_out": true}""", "unet.q");
        Write("b", """{"unet.r": 2}""", "unet.k");
        var refused = _bench.Refused("merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]\n");
        Assert.Contains("the weight of 'unet.k' is stored [outputs, inputs] by the header of one adapter", refused.Message);
    }

    [Fact]
    public void Settings_of_a_component_are_not_those_of_what_stands_beside_it()
    {
        Write("a", """
            {"r": 2, "lora_alpha": 4, "text_encoder.r": 2, "text_encoder.lora_alpha": 6,
             "text_encoder.eva_config": {"rho": 2}, "text_encoder.use_rslora": false, "text_encoder.bias": "none"}
            """, "x.q", "text_encoder.q");
        using var adapter = Adapter.Open(_bench["a"]);
        Assert.Empty(adapter.Warnings);
        Assert.Equal((2.0, 3.0), (adapter.Modules["x.q"].Scale, adapter.Modules["text_encoder.q"].Scale));
    }

    [Theory]
    [InlineData("""{"unet.r": 2}""", "has settings of 'unet', and none of 'te'", "'te.r' and 'te.lora_alpha' there")]
    [InlineData("""{"foo.r": 2, "te.lora_alpha": 4}""", "has settings of 'foo', and none of 'te'", "'te.r' and 'te.lora_alpha' there")]
    [InlineData("{}", "has no 'r', of any component", "'r' and 'lora_alpha' in the header")]
    [InlineData("""{"te.lora_alpha": 2}""", "has no 'r', of any component", "'r' and 'lora_alpha' in the header")]
    public void A_header_that_lacks_a_component_is_what_the_message_speaks_of(string header, string found, string expected)
    {
        Write("a", header, "te.q");
        var refused = Assert.Single(Assert.ThrowsAny<MergeException>(() => Adapter.Open(_bench["a"]).Dispose()).Diagnostics);
        Assert.Contains("the file's header (lora_adapter_metadata) " + found, refused.Found);
        Assert.DoesNotContain("other modules have an alpha", refused.Found);
        Assert.Contains(expected, refused.Expected);
    }

    [Theory]
    [InlineData("unet.q", "te.q", "the file's header (lora_adapter_metadata), and of 1 of 2 modules by the alpha beside the factors")]
    [InlineData("unet.q", "unet.k", "the file's header (lora_adapter_metadata)")]
    [InlineData("te.q", "te.k", "the alpha beside the factors")]
    public void What_says_the_scales_is_told_of_all_modules(string first, string second, string expected)
    {
        Write("a", """{"unet.r": 2, "unet.lora_alpha": 2}""", [(first + ".alpha", 2), (second + ".alpha", 2)], first, second);
        using var adapter = Adapter.Open(_bench["a"]);
        Assert.Equal(expected, adapter.ScaledBy);
    }

    private static JsonObject Header(Adapter adapter) =>
        JsonNode.Parse(adapter.Checkpoint.Metadata[HeaderConfigs.Key])!.AsObject();

    /// <summary>Factors of rank 2 of square weights.</summary>
    private void Write(string folder, string header, params string[] modules) => Write(folder, header, [], modules);

    private void Write(string folder, string header, (string Name, float Value)[] alphas, params string[] modules) => WrittenTensors.Write(
        _bench[$"{folder}/x.safetensors"],
        modules.Index().SelectMany(m => new[]
        {
            (m.Item + ".lora_A.weight", new long[] { 2, 4 }, WrittenTensors.Random((ulong)m.Index + 1, 8)),
            (m.Item + ".lora_B.weight", new long[] { 4, 2 }, WrittenTensors.Random((ulong)m.Index + 91, 8)),
        }).Concat(alphas.Select(a => (a.Name, Array.Empty<long>(), new[] { a.Value }))),
        metadata: new() { [HeaderConfigs.Key] = header });
}

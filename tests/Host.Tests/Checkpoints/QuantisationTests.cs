using Merge.Checkpoints;

namespace Host.Tests.Checkpoints;

public sealed class QuantisationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Plain_checkpoints_with_integers_and_scales_of_norms_pass()
    {
        Write(("position_ids", "I64"), ("a.weight", "BF16"), ("a.scales", "F32"), ("b.weight", "I32"),
            ("c.mask", "BOOL"));
        _folder.WriteText("config.json", """{"quantization_config":null,"torch_dtype":"bfloat16"}""");
        Assert.Empty(Refusals());
    }

    [Theory]
    [InlineData("""{"quantization_config":{"quant_method":"gptq","bits":4}}""", "quantization_config: gptq")]
    [InlineData("""{"text_config":{"quantization_config":{"bits":4}}}""", "(quantization_config)")]
    [InlineData("""{"compression_config":{"quant_method":"compressed-tensors"}}""", "compressed-tensors")]
    public void A_config_that_says_so_is_refused(string config, string said)
    {
        Write(("a.weight", "BF16"));
        _folder.WriteText("config.json", config);
        var found = Assert.Single(Refusals());
        Assert.Contains(said, found);
        Assert.Contains("dequantise it first", found);
    }

    [Theory]
    [InlineData("F8_E4M3")]
    [InlineData("F8_E5M2")]
    [InlineData("F8_E8M0")]
    [InlineData("F4")]
    [InlineData("F6_E2M3")]
    [InlineData("F6_E3M2")]
    [InlineData("C64")]
    public void Types_without_arithmetic_are_refused(string dtype)
    {
        Write(("a.weight", dtype), ("b.weight", dtype), ("c.weight", "F32"));
        Assert.Contains($"tensor 'a.weight' and 1 others are stored as {dtype}", Assert.Single(Refusals()));
    }

    [Theory]
    [InlineData("a.weight", "I8", "a.weight_scale")]
    [InlineData("a.weight", "U8", "a.weight_scale_inv")]
    [InlineData("a.weight", "U32", "a.scales")]
    [InlineData("a.weight", "I32", "a.qzeros")]
    [InlineData("a.weight", "U8", "a.weight.absmax")]
    [InlineData("a.weight", "U8", "a.weight.quant_state.bitsandbytes__nf4")]
    [InlineData("a.weight", "I8", "a.SCB")]
    [InlineData("a.weight_packed", "I32", "a.weight_scale")]
    [InlineData("a.qweight", "I32", "other")]
    [InlineData("experts.up_proj_blocks", "U8", "experts.up_proj_scales")]
    public void Packed_codes_beside_scales_are_refused(string codes, string dtype, string scales)
    {
        Write((codes, dtype), (scales, "F32"));
        Assert.Contains($"tensor '{codes}' is packed codes beside scales", Assert.Single(Refusals()));
    }

    private string[] Refusals()
    {
        using var checkpoint = Checkpoint.Open(_folder.Path);
        return [.. Quantisation.Refuse(checkpoint).Select(d => d.ToString())];
    }

    private void Write(params (string Name, string DType)[] tensors)
    {
        var layout = SafetensorsLayout.Of(
            tensors.Select(t =>
            {
                Assert.True(DTypeNames.TryParse(t.DType, out var dtype));
                return new OutputTensor(t.Name, dtype, [4]);
            }),
            1000,
            new Dictionary<string, string>());
        OutputWriter.Create(_folder.Path, layout).Dispose();
    }
}

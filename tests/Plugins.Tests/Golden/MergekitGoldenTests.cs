using System.Text.Json.Nodes;
using Merge.Sdk;
using Plugins.Tests.Arrays;

namespace Plugins.Tests.Golden;

/// <summary>
/// Values that mergekit computed, from recipes in its words, within the tolerance tests/Golden/README.md states.
/// </summary>
public abstract class MergekitGoldenTests
{
    private const double Tolerance = 5e-7;

    private protected abstract IMergeRunner Runner { get; }

    [Theory]
    [InlineData("slerp_t03")]
    [InlineData("nuslerp_flat")]
    [InlineData("nuslerp_flat_base")]
    [InlineData("nuslerp_rowwise")]
    [InlineData("multislerp")]
    [InlineData("multislerp_base")]
    [InlineData("karcher")]
    [InlineData("model_stock")]
    [InlineData("model_stock_fw")]
    [InlineData("sce_k01")]
    [InlineData("sce_k10")]
    [InlineData("ram")]
    [InlineData("ramplus_tl")]
    [InlineData("nearswap")]
    [InlineData("passthrough_scale")]
    public void Result_is_that_of_the_reference_implementation(string name)
    {
        var golden = new GoldenCase(name);
        var (strategy, options) = Method(name);
        var merged = Runner.Merge(strategy, options, golden.Inputs);
        Assert.Equal(golden.Expected.Keys.Order(), merged.Keys.Order());
        foreach (var (tensor, expected) in golden.Expected)
            Near.All(expected.Values, merged[tensor], Tolerance, tensor);
    }

    [Fact]
    public void Arcee_fusion_is_that_of_the_reference_implementation_but_for_three_elements()
    {
        var golden = new GoldenCase("arcee_fusion");
        var (strategy, options) = Method("arcee_fusion");
        var merged = Runner.Merge(strategy, options, golden.Inputs);
        var flipped = golden.Expected.Sum(t => t.Value.Values.Zip(merged[t.Key])
            .Count(p => Math.Abs((double)p.First - p.Second) > Tolerance));
        Assert.InRange(flipped, 0, 3);
    }

    private static (MergeStrategy Strategy, object Options) Method(string name)
    {
        var given = JsonNode.Parse(File.ReadAllText(
            Path.Combine(AppContext.BaseDirectory, "Golden", "cases", name, "case.json")))!;
        var models = given["models"]!.AsArray().Select((model, i) => new JsonObject
        {
            ["model"] = model!.GetValue<string>(),
            ["parameters"] = new JsonObject(given["model_parameters"]!.AsObject()
                .Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value![i]!.DeepClone()))),
        });
        var recipe = new JsonObject
        {
            ["merge_method"] = given["method"]!.DeepClone(),
            ["models"] = new JsonArray([.. models]),
            ["parameters"] = given["parameters"]!.DeepClone(),
        };
        return MergekitMethods.Bind(recipe.ToJsonString()); // JSON is YAML
    }
}

public sealed class MergekitGoldenTestsOnArrays : MergekitGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

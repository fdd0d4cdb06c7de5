using Plugins.Tests.Arrays;

namespace Plugins.Tests.Golden;

/// <summary>Values that OTA's authors' code computed, within the tolerances tests/Golden/README.md states.</summary>
public abstract class OtaGoldenTests
{
    private protected abstract IMergeRunner Runner { get; }

    [Theory]
    [InlineData("ota_base")]
    [InlineData("ota_base_linear_thr_rescale")]
    [InlineData("ota_base_rank1_thr")]
    [InlineData("ota_base_thr")]
    [InlineData("ota_base_thr_fallback")]
    [InlineData("ota_base_ties")]
    [InlineData("ota_nobase")]
    [InlineData("ota_nobase_rank1")]
    [InlineData("ota_nobase_thr")]
    public void Result_is_that_of_the_authors_code(string name) => Agrees(name, tolerance: 5e-7, []);

    [Fact]
    public void Rank_4_is_that_of_the_authors_code_but_for_embedding_and_head() =>
        Agrees("ota_nobase_rank4", tolerance: 5e-6, ["model.embed_tokens.weight", "lm_head.weight"]);

    private void Agrees(string name, double tolerance, string[] except)
    {
        var golden = new GoldenCase(name);
        var (strategy, options) = MergekitCase.Method(name);
        var moments = Enumerable.Range(1, 3).Select(i => GoldenCase.Input($"inputs/ft{i}.exp_avg_sq.f32.safetensors"));
        var merged = Runner.Merge(strategy, options, golden.Inputs with
        {
            Sides = new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]> { ["second_moment"] = [.. moments] },
        });
        Assert.Equal(golden.Expected.Keys.Order(), merged.Keys.Order());
        foreach (var (tensor, expected) in golden.Expected.Where(t => !except.Contains(t.Key)))
            Near.All(expected.Values, merged[tensor], tolerance, tensor);
    }
}

public sealed class OtaGoldenTestsOnArrays : OtaGoldenTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

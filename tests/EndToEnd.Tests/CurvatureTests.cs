using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>Recipes as the authors of OTA merging publish them, on models and second moments in the Hugging Face cache.</summary>
public sealed class CurvatureTests : IDisposable
{
    private const string Hub = ".cache/huggingface/hub/models--org--";

    private const string Tokenizer = """
        {"version": "1.0", "added_tokens": [], "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"}}
        """;

    private const string Models = """
        models:
          - model: org/logic
            parameters:
              preconditioner_path: org/logic/export/exp_avg_sq.safetensors
              precond_threshold:  1.5e-20
              rank1_approx: false
          - model: org/prose-wsd0p4
            parameters:
              preconditioner_path: org/prose-wsd0p4/export_full_state_checkpoint-70/exp_avg_sq.safetensors
              precond_threshold: 4e-19

        dtype: float32
        tokenizer_source: union
        """;

    private readonly Scratch _scratch = new();

    public CurvatureTests()
    {
        Model("base", [0, 0, 0, 0], null, null);
        Model("logic", [1, 2, 1, 4], "export", [1e-20, 1e-20, 1e-20, 9e-20]);
        Model("prose-wsd0p4", [3, 0, 0, 2], "export_full_state_checkpoint-70", [9e-20, 9e-18, 1e-20, 4e-20]);
    }

    public void Dispose() => _scratch.Dispose();

    [Theory]
    // Saliencies: 1e-20, 4e-20, 1e-20, 1.44e-18 and 8.1e-19, 0, 0, 1.6e-19.
    [InlineData("epsilon: 1e-26 # as small as v", "fallback_to_base: true", new[] { 3, 2, 0, 4.0 })]
    [InlineData("epsilon: 1e-26", "fallback_to_base: false", new[] { 3, 2, 0.5, 4 })]
    [InlineData("masked_task_vector_merge_method: linear", "rescale: false", new[] { 1.5, 1, 0, 2 })]
    public void A_published_recipe_runs_unchanged(string first, string second, double[] expected)
    {
        _scratch.Write("r.yml", $"""
            merge_method: ota
            base_model: org/base

            parameters:
              {first}
              normalise: none
              power: 0.5
              {second}
              # precond_threshold: 1e-3

            {Models}
            """);
        _scratch.Succeeds("run", "r.yml", "out");
        var merged = TinyCheckpoint.Read(_scratch["out"])["layers.0.w"].Values;
        Assert.All(merged.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 1e-6));
    }

    [Fact]
    public void Without_a_base_and_with_a_weight_that_ota_does_not_have_it_runs_and_says_so()
    {
        // √v in the ratio 1 to 3, 1 to 30, 1 to 1, 3 to 2.
        _scratch.Write("r.yml", """
            merge_method: ota
            parameters:
              epsilon: 1e-28
              normalise: "none"
            models:
              - model: org/logic
                parameters:
                  weight: 1.0 # where there is no preconditioner
                  preconditioner_path: org/logic/export/exp_avg_sq.safetensors
              - model: org/prose-wsd0p4
                parameters:
                  preconditioner_path: org/prose-wsd0p4/export_full_state_checkpoint-70/exp_avg_sq.safetensors
            """);
        Assert.Contains("'weight' has no effect", _scratch.Succeeds("run", "r.yml", "out").Error);
        var merged = TinyCheckpoint.Read(_scratch["out"])["layers.0.w"].Values;
        Assert.All(merged.Zip([2.5, 2.0 / 31, 0.5, 3.2]), pair => Assert.Equal(pair.Second, pair.First, 1e-6));
    }

    [Fact]
    public void A_graft_whose_recipe_lists_the_base_among_the_models_is_of_the_other_one()
    {
        _scratch.Write("r.yml", """
            merge_method: ffg
            base_model: org/base
            parameters:
              density: 0.5       # half of it
              metric: fisher
            models:
              - model: org/base        # where it started
              - model: org/logic       # where it came to
                parameters:
                  preconditioner_path: org/logic/export/exp_avg_sq.safetensors
            """);
        _scratch.Succeeds("run", "r.yml", "out");
        Assert.Equal([0, 2, 0, 4], TinyCheckpoint.Read(_scratch["out"])["layers.0.w"].Values);
    }

    [BrowserFact]
    public async Task The_report_of_thresholds_is_a_page_that_shows_every_model_and_layer()
    {
        _scratch.Write("r.yml", $"merge_method: ota\nbase_model: org/base\n{Models}");
        var outcome = _scratch.Succeeds("curvature", "threshold", "r.yml", "--density", "0.25", "--report", "new/masks.html");
        Assert.Contains(_scratch["new/masks.html"], outcome.Out);
        await using var browser = await Browser.Open();
        foreach (var width in new[] { 1100, 360 })
        {
            var shown = await browser.Show(_scratch["new/masks.html"], width);
            Assert.Empty(shown.Troubles);
            Assert.True(await shown.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= width);
            Assert.Equal(3, await shown.Page.Locator("figure svg[role=img]").CountAsync());
            Assert.Equal(["org/logic", "org/prose-wsd0p4"], await shown.Page.Locator("section#models tbody th").AllInnerTextsAsync());
            // Two of eight elements.
            Assert.Equal(["4E-20", "0.2500", "1.6E-19", "0.2500"], await shown.Page.Locator("section#models tbody td").AllInnerTextsAsync());
            Assert.Equal(["embed_tokens.weight", "layers.0.w"], await shown.Page.Locator("section#tensors tbody th").AllInnerTextsAsync());
        }
    }

    private void Model(string name, double[] values, string? export, double[]? moments)
    {
        var repository = _scratch[$"{Hub}{name}"];
        // No edits, two tokens.
        TinyTensor Embedding(double value) => TinyTensor.Of("F32", "embed_tokens.weight", [2, 2], value, value, value, value);
        TinyCheckpoint.Write($"{repository}/snapshots/abc", TinyTensor.Of("F32", "layers.0.w", [2, 2], values), Embedding(7));
        _scratch.Write($"{repository}/snapshots/abc/tokenizer.json", Tokenizer);
        _scratch.Write($"{Hub}{name}/refs/main", "abc");
        if (moments is not null)
        {
            TinyCheckpoint.WriteFile(
                $"{repository}/snapshots/abc/{export}/exp_avg_sq.safetensors",
                TinyTensor.Of("F32", "layers.0.w", [2, 2], moments),
                Embedding(1e-20));
        }
    }
}

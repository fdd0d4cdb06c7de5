using FsCheck;
using FsCheck.Fluent;
using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Recipes;

public class RecipeParserTests
{
    private const string Linear = """
        models:
          - model: psmathur/orca_mini_v3_13b
            parameters:
              weight: 1.0
          - model: WizardLM/WizardLM-13B-V1.2
            parameters:
              weight: 0.3
          - model: garage-bAInd/Platypus2-13B
            parameters:
              weight: 0.5
        merge_method: linear
        dtype: float16
        """;

    private const string TaskArithmetic = """
        # task vectors of three fine-tunes
        merge_method: task_arithmetic
        base_model: mistralai/Mistral-7B-v0.1
        models:
          - model: mistralai/Mistral-7B-v0.1
          - model: HuggingFaceH4/zephyr-7b-beta@main
            parameters: {weight: .5}
          - model: teknium/OpenHermes-2.5-Mistral-7B
            parameters:
              weight: 1e-1
        parameters:
          normalize: false
          int8_mask: true
        dtype: bfloat16
        out_dtype: torch.float32
        """;

    private const string Ties = """
        models:
          - model: psmathur/orca_mini_v3_13b
            parameters:
              density: [1, 0.7, 0.1] # density gradient
              weight: 1.0
          - model: WizardLM/WizardMath-13B-V1.0
            parameters:
              density: 0.33
              weight:
                - filter: mlp
                  value: 0.5
                - value: 0
        merge_method: ties
        base_model: TheBloke/Llama-2-13B-fp16
        parameters:
          normalize: true
        dtype: float16
        """;

    [Fact]
    public void The_linear_example_of_mergekit_reads_unchanged()
    {
        var recipe = RecipeParser.Parse("linear.yml", Linear);
        Assert.Equal(("linear", 11), (recipe.Method, recipe.MethodLine));
        Assert.Equal(["psmathur/orca_mini_v3_13b", "WizardLM/WizardLM-13B-V1.2", "garage-bAInd/Platypus2-13B"],
            recipe.Models.Select(m => m.Model.Text));
        Assert.Equal([2, 5, 8], recipe.Models.Select(m => m.Model.Line));
        Assert.Equal(["1.0", "0.3", "0.5"], recipe.Models.Select(m => ((ParameterScalar)m.Parameters.Find("weight")!.Value).Text));
        Assert.Equal(((DType?)DType.F16, (DType?)null, 0ul), (recipe.DType, recipe.OutDType, recipe.Seed));
        Assert.Null(recipe.BaseModel);
    }

    [Fact]
    public void The_task_arithmetic_example_of_mergekit_reads_unchanged()
    {
        var recipe = RecipeParser.Parse("ta.yml", TaskArithmetic);
        Assert.Equal("mistralai/Mistral-7B-v0.1", recipe.BaseModel!.Text);
        Assert.Equal(3, recipe.Models.Count);
        Assert.Empty(recipe.Models[0].Parameters.Items);
        Assert.Equal(["normalize", "int8_mask"], recipe.Parameters.Items.Select(p => p.Name));
        Assert.Equal(((DType?)DType.BF16, (DType?)DType.F32), (recipe.DType, recipe.OutDType));
    }

    [Fact]
    public void Gradients_and_filters_are_kept_with_their_lines()
    {
        var recipe = RecipeParser.Parse("ties.yml", Ties);
        var gradient = Assert.IsType<ParameterList>(recipe.Models[0].Parameters.Find("density")!.Value);
        Assert.Equal(["1", "0.7", "0.1"], gradient.Items.Select(i => i.Text));
        Assert.Equal(4, gradient.Line);
        var filters = Assert.IsType<ParameterFilters>(recipe.Models[1].Parameters.Find("weight")!.Value);
        Assert.Equal([("mlp", 10), (null, 12)], filters.Items.Select(f => (f.Filter, f.Line)));
    }

    [Fact]
    public void Slices_keep_their_sources_ranges_base_and_parameters()
    {
        var recipe = RecipeParser.Parse("r.yaml", """
            merge_method: slerp
            name: stacked
            slices:
              - sources:
                  - model: a
                    layer_range: [0, 24]
                    parameters: {weight: 2}
                  - {model: a, layer_range: [4, 28]}
                base_model: b
                parameters: {t: [0, 1]}
                residual_weight: 0.5
              - sources: [{model: b, layer_range: [20, 40]}]
            """);
        Assert.Equal("stacked", recipe.Name?.Text);
        Assert.Equal([4, 12], recipe.Slices.Select(s => s.Line));
        Assert.Equal([new LayerRange(0, 24), new LayerRange(4, 28)], recipe.Slices[0].Sources.Select(s => s.Layers!.Value));
        Assert.Equal("b", recipe.Slices[0].BaseModel!.Text);
        Assert.IsType<ParameterList>(recipe.Slices[0].Parameters.Find("t")!.Value);
        Assert.Contains("line 11: 'residual_weight' has no effect", Assert.Single(recipe.Warnings).ToString());
    }

    [Fact]
    public void Modules_keep_their_names_models_slices_and_parameters()
    {
        var recipe = RecipeParser.Parse("r.yaml", """
            merge_method: linear
            modules:
              text_decoder:
                slices:
                  - sources: [{model: a, layer_range: [0, 2]}]
              vision_tower:
                models: [a, {model: b, parameters: {weight: 1}}]
                parameters: {weight: 0.5}
            """);
        Assert.Equal([("text_decoder", 3, 0, 1), ("vision_tower", 6, 2, 0)],
            recipe.Modules.Select(m => (m.Name, m.Line, m.Models.Count, m.Slices.Count)));
        Assert.NotNull(recipe.Modules[1].Parameters.Find("weight"));
    }

    [Fact]
    public void Anchors_aliases_and_merge_keys_work()
    {
        var recipe = RecipeParser.Parse("r.yaml", """
            merge_method: linear
            models:
              - &first {model: a, parameters: &p {weight: 2}}
              - {model: b, parameters: *p}
              - {<<: *first, model: c}
            """);
        Assert.Equal(["a", "b", "c"], recipe.Models.Select(m => m.Model.Text));
        Assert.All(recipe.Models, m => Assert.Equal("2", ((ParameterScalar)m.Parameters.Find("weight")!.Value).Text));
    }

    [Fact]
    public void A_trajectory_is_one_line()
    {
        var model = Assert.Single(RecipeParser.Parse("r.yaml", "merge_method: ema\nmodels: run/checkpoint-*\n").Models);
        Assert.Equal((new ModelReference("run/checkpoint-*", 2), default), (model.Model, model.Window));
    }

    [Fact]
    public void A_trajectory_takes_a_window_and_parameters()
    {
        var model = Assert.Single(RecipeParser.Parse("r.yaml",
            "merge_method: ema\nmodels: {trajectory: run/*, last: 10, every: 2, parameters: {weight: 1}}").Models);
        Assert.Equal(new TrajectoryWindow(10, 2), model.Window);
        Assert.NotNull(model.Parameters.Find("weight"));
    }

    [Fact]
    public void A_trajectory_may_stand_among_models()
    {
        var recipe = RecipeParser.Parse("r.yaml", "merge_method: linear\nmodels:\n- model: run/*\n  last: 3\n- other\n");
        Assert.Equal([new TrajectoryWindow(3, null), default], recipe.Models.Select(m => m.Window));
        Assert.Equal([true, false], recipe.Models.Select(m => m.Model.IsTrajectory));
    }

    [Theory]
    [InlineData("7", 7ul)]
    [InlineData("0x10", 16ul)]
    [InlineData("18446744073709551615", ulong.MaxValue)]
    public void A_seed_is_any_64_bit_number(string text, ulong seed) =>
        Assert.Equal(seed, RecipeParser.Parse("r", $"merge_method: m\nmodels: [a]\nseed: {text}").Seed);

    [Fact]
    public void Empty_optional_keys_count_as_absent()
    {
        var recipe = RecipeParser.Parse("r", "merge_method: m\nmodels: [a]\nbase_model:\ndtype: ~\nparameters:\nslices: null\n");
        Assert.Null(recipe.BaseModel);
        Assert.Null(recipe.DType);
        Assert.Empty(recipe.Parameters.Items);
    }

    [Fact]
    public void The_digest_follows_the_text()
    {
        var digest = RecipeParser.Parse("a", Linear).Digest;
        Assert.Matches("^[0-9a-f]{64}$", digest);
        Assert.Equal(digest, RecipeParser.Parse("b", Linear).Digest);
        Assert.NotEqual(digest, RecipeParser.Parse("a", Linear + "\n").Digest);
    }

    [Fact]
    public void Written_values_come_back()
    {
        var weights = ArbMap.Default.ArbFor<NormalFloat>().Generator.Select(f => f.Get).NonEmptyListOf();
        var recipes = from values in weights
                      from seed in ArbMap.Default.ArbFor<ulong>().Generator
                      from flow in ArbMap.Default.ArbFor<bool>().Generator
                      select (values, seed, flow);
        var property = Prop.ForAll(recipes.ToArbitrary(), given =>
        {
            var (values, seed, flow) = given;
            var entries = values.Select((w, i) => flow
                ? $"- {{parameters: {{weight: {w:R}}}, model: org/m{i}}}"
                : $"- model: 'org/m{i}'\n  parameters:\n    weight: {w:R}");
            var recipe = RecipeParser.Parse("r", $"seed: {seed}\nmodels:\n{string.Join('\n', entries)}\nmerge_method: linear");
            var read = recipe.Models.Select(m => ((ParameterScalar)m.Parameters.Find("weight")!.Value).Text)
                .Select(text => RecipeNumber.TryReal(text, out var value) ? value : double.NaN);
            return recipe.Seed == seed && read.SequenceEqual(values)
                && recipe.Models.Select((m, i) => m.Model.Text == $"org/m{i}").All(same => same);
        });
        Check.One(Config.QuickThrowOnFailure.WithReplay(1, 3), property);
    }
}

using System.Text.Json.Nodes;
using Host.Tests.Merging;
using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Planning;

/// <summary>Slices and modules, from the recipe's text to the output's tensors.</summary>
public sealed class SlicesTests : IDisposable
{
    private static readonly string Installed = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins"));

    private readonly TestModels _models = new();
    private readonly PluginCatalog _catalog = PluginCatalog.Load(PluginFolders.At(Installed));
    private readonly List<RecipePlanner> _planners = [];

    public void Dispose()
    {
        _planners.ForEach(p => p.Dispose());
        _catalog.Dispose();
        _models.Dispose();
    }

    private MergePlan Plan(string text)
    {
        _planners.Add(new(_catalog, []));
        return _planners[^1].Plan(RecipeParser.Parse(_models["r.yaml"], text), PlanRequest.DefaultMaxShardBytes);
    }

    private IReadOnlyList<Diagnostic> Refused(string text) => Assert.Throws<MergeException>(() => Plan(text)).Diagnostics;

    private void Llama(string name, int layers, float tag, string more = "") =>
        _models.Write(name, SmallModels.Config(layers, more), SmallModels.Llama(layers, tag));

    private static float Value(Run run, string tensor) => run.Floats(tensor)[0];

    private static double Parameter(MergePlan plan, string name, string tensor, int model = 0) =>
        (double)plan.Tensors.Single(t => t.Info.Name == tensor).Values.Single(v => v.Schema.Name == name).Values[model].Value!;

    [Fact]
    public void Two_32_layer_models_become_one_of_44_whose_config_and_names_agree()
    {
        Llama("orca", 32, 100);
        Llama("platypus", 32, 200);
        var plan = Plan("""
            slices:
              - sources:
                - model: orca
                  layer_range: [0, 24]
              - sources:
                - model: platypus
                  layer_range: [12, 32]
            merge_method: passthrough
            dtype: float32
            """);
        var run = Runs.Of(plan);
        Assert.Equal((44 * 3) + 3, plan.Tensors.Count);
        Assert.Equal(Enumerable.Range(0, 44), plan.Tensors.Select(t => t.Info.Layer).OfType<int>().Distinct().Order());
        Assert.Equal(44, (int)JsonNode.Parse(plan.Config!)!["num_hidden_layers"]!);
        Assert.Equal(101, Value(run, "model.layers.0.mlp.up_proj.weight"));
        Assert.Equal(124, Value(run, "model.layers.23.mlp.up_proj.weight"));
        Assert.Equal(213, Value(run, "model.layers.24.mlp.up_proj.weight"));
        Assert.Equal(232, Value(run, "model.layers.43.mlp.up_proj.weight"));
        Assert.Equal((100f, 200f, 200f),
            (Value(run, "model.embed_tokens.weight"), Value(run, "model.norm.weight"), Value(run, "lm_head.weight")));
        Assert.Equal(2, plan.Models.Count);
        Assert.Empty(plan.Warnings);
    }

    [Fact]
    public void The_gradient_slerp_example_gives_every_layer_its_t()
    {
        Llama("orca", 40, 1);
        Llama("platypus", 40, 2);
        var plan = Plan("""
            slices:
              - sources:
                  - model: orca
                    layer_range: [0, 40]
                  - model: platypus
                    layer_range: [0, 40]
            merge_method: slerp
            base_model: orca
            parameters:
              t:
                - filter: self_attn
                  value: [0, 0.5, 0.3, 0.7, 1]
                - filter: mlp
                  value: [1, 0.5, 0.7, 0.3, 0]
                - value: 0.5 # fallback for rest of tensors
            dtype: float16
            """);
        Assert.Equal(0, Parameter(plan, "t", "model.layers.0.self_attn.q_proj.weight"));
        Assert.Equal(1, Parameter(plan, "t", "model.layers.0.mlp.up_proj.weight"));
        Assert.Equal((2 * 0.5 / 3) + (0.3 / 3), Parameter(plan, "t", "model.layers.13.self_attn.q_proj.weight"), 12);
        Assert.Equal((2 * 0.5 / 3) + (0.7 / 3), Parameter(plan, "t", "model.layers.13.mlp.up_proj.weight"), 12);
        Assert.Equal(1, Parameter(plan, "t", "model.layers.39.self_attn.q_proj.weight"));
        Assert.Equal(0.5, Parameter(plan, "t", "model.layers.13.input_layernorm.weight"));
        Assert.Equal(0.5, Parameter(plan, "t", "lm_head.weight"));
        Assert.Equal([12, 14, 15], plan.Tensors.Select(t => t.Values.Single().Values[0].Line!.Value).Distinct().Order());
        Assert.Null(plan.Config);
        Assert.Equal(plan.Tensors.Count, Runs.Of(plan).Sink.Bytes.Count);
    }

    [Fact]
    public void Whole_models_give_the_values_that_the_same_layers_as_a_slice_give()
    {
        Llama("a", 5, 1);
        Llama("b", 5, 2);
        const string Rest = "\nmerge_method: slerp\nbase_model: a\nparameters: {t: [0, 0.5, 0.3]}\n";
        var whole = Plan("models: [{model: a}, {model: b}]" + Rest);
        var sliced = Plan("slices: [{sources: [{model: a, layer_range: [0, 5]}, {model: b, layer_range: [0, 5]}]}]" + Rest);
        Assert.Equal(whole.Tensors.Select(t => (t.Info.Name, t.Values[0].Values[0].Value)).Order(),
            sliced.Tensors.Select(t => (t.Info.Name, t.Values[0].Values[0].Value)).Order());
        Assert.Equal(0, Parameter(whole, "t", "model.norm.weight"));
        Assert.Equal(0.4, Parameter(whole, "t", "model.layers.3.mlp.up_proj.weight"), 12);
    }

    [Fact]
    public void The_ties_example_runs_with_its_gradients_and_filters()
    {
        foreach (var (name, tag) in new[] { ("base", 0f), ("orca", 1), ("platypus", 2), ("wizard", 3) })
            Llama(name, 4, tag);
        var plan = Plan("""
            models:
              - model: orca
                parameters:
                  density: [1, 0.7, 0.1] # density gradient
                  weight: 1.0
              - model: platypus
                parameters:
                  density: 0.5
                  weight: [0, 0.3, 0.7, 1] # weight gradient
              - model: wizard
                parameters:
                  density: 0.33
                  weight:
                    - filter: mlp
                      value: 0.5
                    - value: 0
            merge_method: ties
            base_model: base
            parameters:
              normalize: true
              int8_mask: true
            dtype: float16
            """);
        const string Mlp = "model.layers.1.mlp.up_proj.weight";
        Assert.Equal([0.8, 0.5, 0.33], [.. Enumerable.Range(0, 3).Select(m => Math.Round(Parameter(plan, "density", Mlp, m), 12))]);
        Assert.Equal([1, 0.3, 0.5], [.. Enumerable.Range(0, 3).Select(m => Math.Round(Parameter(plan, "weight", Mlp, m), 12))]);
        Assert.Equal(0, Parameter(plan, "weight", "model.layers.1.self_attn.q_proj.weight", 2));
        Assert.Contains(plan.Warnings, w => w.Found.Contains("int8_mask"));
        Assert.Empty(Runs.Of(plan).Findings);
    }

    [Fact]
    public void The_bio_merge_example_runs()
    {
        foreach (var (name, tag) in new[] { ("base", 0f), ("instruct", 1), ("bio", 2) })
            Llama(name, 3, tag);
        var plan = Plan("""
            models:
              - model: instruct
                parameters:
                  density: 0.5
                  weight: 0.5
              - model: bio
                parameters:
                  density: 0.5
                  weight: 0.5
            merge_method: ties
            base_model: base
            parameters:
              normalize: false
              int8_mask: true
            dtype: float32
            """);
        var run = Runs.Of(plan);
        // Both keep their 8 largest of 16 differences, 1/i and 2/i, of one sign; half of each is added, not normalized.
        Assert.Equal(1 + (0.5f * 1) + (0.5f * 2), Value(run, "model.layers.0.mlp.up_proj.weight"));
        Assert.Equal(1f / 16, run.Floats("model.layers.0.mlp.up_proj.weight")[15]);
    }

    [Fact]
    public void The_CheckFree_sample_recovers_a_lost_layer_of_its_neighbours()
    {
        _models.Write("broken-model", SmallModels.Config(8),
            [.. SmallModels.Llama(8, 0).Where(t => !t.Name.Contains(".layers.3."))]);
        var sample = Path.Combine(AppContext.BaseDirectory, "../../../../samples/checkfree/recipe.yml");
        var plan = Plan(File.ReadAllText(sample));
        var run = Runs.Of(plan);
        Assert.Equal(((0.8f * 3) + (1.2f * 5)) / 2, Value(run, "model.layers.3.mlp.up_proj.weight"), 5);
        Assert.Equal([1, 2, 3, 5, 6, 7, 8],
            new[] { 0, 1, 2, 4, 5, 6, 7 }.Select(l => Value(run, $"model.layers.{l}.mlp.up_proj.weight")));
        Assert.Equal((8 * 3) + 3, plan.Tensors.Count);
        Assert.Null(plan.Config);
    }

    [Fact]
    public void A_lost_layer_in_a_range_is_named()
    {
        _models.Write("a", null, [.. SmallModels.Llama(8, 0).Where(t => !t.Name.Contains(".layers.3."))]);
        var problem = Assert.Single(Refused("merge_method: passthrough\nslices:\n- sources: [{model: a, layer_range: [2, 6]}]\n"));
        Assert.Equal("layer 3 of 'a' has no tensors", problem.Found);
        Assert.EndsWith("r.yaml, line 3", problem.Where);
    }

    [Fact]
    public void Every_range_beyond_its_model_is_told_with_its_line()
    {
        Llama("a", 4, 0);
        Llama("b", 6, 0);
        var problems = Refused("""
            merge_method: passthrough
            slices:
              - sources: [{model: a, layer_range: [0, 5]}]
              - sources: [{model: b, layer_range: [4, 7]}]
            """);
        Assert.Equal(["'layer_range' is [0, 5], but 'a' has 4 layers", "'layer_range' is [4, 7], but 'b' has 6 layers"],
            problems.Select(p => p.Found));
        Assert.Equal(["3", "4"], problems.Select(p => p.Where!.Split(' ')[^1]));
    }

    [Fact]
    public void One_model_may_stand_twice_in_a_slice_each_with_its_own_weight()
    {
        Llama("a", 4, 0);
        var run = Runs.Of(Plan("""
            merge_method: linear
            slices:
              - sources:
                  - {model: a, layer_range: [0, 2], parameters: {weight: 1}}
                  - {model: a, layer_range: [2, 4], parameters: {weight: 3}}
            """));
        Assert.Equal([((1 * 1) + (3 * 3)) / 4f, ((1 * 2) + (3 * 4)) / 4f],
            new[] { 0, 1 }.Select(l => Value(run, $"model.layers.{l}.mlp.up_proj.weight")));
    }

    [Fact]
    public void The_base_of_a_slice_takes_the_layers_its_sources_share()
    {
        Llama("base", 4, 10);
        Llama("a", 4, 30);
        var run = Runs.Of(Plan("""
            merge_method: task_arithmetic
            base_model: base
            slices:
              - sources: [{model: a, layer_range: [2, 4]}]
            parameters: {weight: 0.5}
            """));
        Assert.Equal(23, Value(run, "model.layers.0.mlp.up_proj.weight"));
    }

    [Fact]
    public void A_base_whose_layers_cannot_be_told_is_refused()
    {
        Llama("base", 4, 10);
        Llama("a", 4, 30);
        var problem = Assert.Single(Refused("""
            merge_method: task_arithmetic
            base_model: base
            slices:
              - sources: [{model: a, layer_range: [0, 2]}, {model: a, layer_range: [2, 4]}]
            parameters: {weight: 0.5}
            """));
        Assert.Contains("cannot be told which layers of the base 'base'", problem.Found);
    }

    [Fact]
    public void A_slice_may_have_a_base_of_its_own()
    {
        Llama("a", 2, 0);
        Llama("b", 2, 10);
        var plan = Plan("""
            merge_method: slerp
            slices:
              - sources: [{model: a, layer_range: [0, 1]}, {model: b, layer_range: [0, 1]}]
                base_model: a
              - sources: [{model: a, layer_range: [1, 2]}, {model: b, layer_range: [1, 2]}]
                base_model: b
            parameters: {t: 0}
            """);
        var run = Runs.Of(plan);
        Assert.Equal((1f, 12f), (Value(run, "model.layers.0.mlp.up_proj.weight"), Value(run, "model.layers.1.mlp.up_proj.weight")));
    }

    [Fact]
    public void Only_the_layers_number_of_a_name_changes()
    {
        TestTensor[] Experts(float tag) =>
            [.. Enumerable.Range(0, 3).Select(l => TestTensor.Of($"backbone.blocks.{l}.moe.experts.1.layers.7.w", tag + l))];
        _models.Write("a", null, Experts(10));
        var run = Runs.Of(Plan("merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [2, 3]}]}]\n"));
        Assert.Equal(["backbone.blocks.0.moe.experts.1.layers.7.w"], run.Sink.Bytes.Keys);
        Assert.Equal(12, Value(run, "backbone.blocks.0.moe.experts.1.layers.7.w"));
    }

    [Fact]
    public void Slices_of_a_model_of_two_stacks_are_refused_and_modules_named()
    {
        _models.Write("t5", null, TestTensor.Of("encoder.block.0.layer.0.w", 1), TestTensor.Of("decoder.block.0.layer.0.w", 2));
        var problem = Assert.Single(Refused("merge_method: passthrough\nslices: [{sources: [{model: t5, layer_range: [0, 1]}]}]\n"));
        Assert.Equal("'t5' has 2 stacks of layers: 'decoder.block.' (1), 'encoder.block.' (1)", problem.Found);
        Assert.Contains("decoder, encoder", problem.Fix);
    }

    [Fact]
    public void Modules_are_merged_each_in_its_own_way_and_the_rest_is_copied()
    {
        TestTensor[] Vlm(float tag) =>
        [
            .. SmallModels.Llama(3, tag, "language_model."),
            .. Enumerable.Range(0, 2).SelectMany(l => SmallModels.Layer("vision_tower.blocks.", l, tag)),
            TestTensor.Of("multi_modal_projector.linear.weight", tag),
        ];
        const string Config = """{"text_config": {"num_hidden_layers": 3}, "vision_config": {"num_hidden_layers": 2}}""";
        _models.Write("a", Config, Vlm(10));
        _models.Write("b", Config, Vlm(20));
        var plan = Plan("""
            merge_method: linear
            modules:
              text_decoder:
                slices:
                  - sources: [{model: a, layer_range: [0, 3]}]
                  - sources: [{model: b, layer_range: [1, 3]}]
              vision_tower:
                models: [a, b]
                parameters: {weight: 3}
            parameters: {weight: 1}
            """);
        var run = Runs.Of(plan);
        Assert.Equal(22, Value(run, "language_model.model.layers.3.mlp.up_proj.weight"));
        Assert.Equal(16, Value(run, "vision_tower.blocks.0.mlp.up_proj.weight"));
        Assert.Equal(10, Value(run, "multi_modal_projector.linear.weight"));
        Assert.Equal(3, Parameter(plan, "weight", "vision_tower.blocks.0.mlp.up_proj.weight"));
        var config = JsonNode.Parse(plan.Config!)!;
        Assert.Equal((5, 2), ((int)config["text_config"]!["num_hidden_layers"]!, (int)config["vision_config"]!["num_hidden_layers"]!));
        Assert.Contains("1 tensor is of no module", Assert.Single(plan.Warnings).Found);
    }

    [Fact]
    public void An_unknown_module_is_told_with_those_the_model_has()
    {
        _models.Write("a", null, [.. SmallModels.Llama(1, 1, "language_model."), TestTensor.Of("vision_tower.blocks.0.w", 1)]);
        var problem = Assert.Single(Refused("merge_method: uniform\nmodules:\n  vision_towr: {models: [a]}\n"));
        Assert.Equal("there is no module 'vision_towr' in the models", problem.Found);
        Assert.Equal("one of text_decoder, vision_tower, or what tensor names begin with", problem.Expected);
        Assert.Contains("'vision_tower'", problem.Fix);
    }

    [Fact]
    public void A_state_dict_of_no_known_architecture_without_a_config_is_sliced_too()
    {
        _models.Write("a", null, [.. Enumerable.Range(0, 3).Select(l => TestTensor.Of($"net.h.{l}.weird", l)), TestTensor.Of("alpha", 9)]);
        var run = Runs.Of(Plan("merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [1, 3]}]}]\n"));
        Assert.Equal(["alpha", "net.h.0.weird", "net.h.1.weird"], run.Sink.Bytes.Keys.Order());
        Assert.Equal((9, 2), (Value(run, "alpha"), Value(run, "net.h.1.weird")));
    }

    [Fact]
    public void The_passthrough_scale_by_filters_reaches_the_tensors_it_names()
    {
        Llama("a", 2, 1);
        var run = Runs.Of(Plan("""
            merge_method: passthrough
            slices:
              - sources:
                  - model: a
                    layer_range: [0, 2]
                    parameters:
                      scale:
                        - filter: up_proj
                          value: 0.5
                        - value: 1.0
            """));
        Assert.Equal((1.5f, 3f), (Value(run, "model.layers.1.mlp.up_proj.weight"), Value(run, "model.layers.1.self_attn.q_proj.weight")));
    }

    [Fact]
    public void Per_layer_lists_of_the_config_follow_the_layers_and_the_rest_of_it_stays()
    {
        const string More = """
            , "layer_types": ["f", "s", "s"], "mlp_only_layers": [0], "max_window_layers": 3, "eos_token_id": [1, 2, 3], "limit": [0.0, Infinity]
            """;
        Llama("a", 3, 0, More);
        var plan = Plan("""
            merge_method: passthrough
            slices:
              - sources: [{model: a, layer_range: [1, 3]}]
              - sources: [{model: a, layer_range: [0, 2]}]
            """);
        var config = plan.Config!.Replace("\n", "").Replace(" ", "");
        Assert.Contains("\"num_hidden_layers\":4", config);
        Assert.Contains("\"layer_types\":[\"s\",\"s\",\"f\",\"s\"]", config);
        Assert.Contains("\"mlp_only_layers\":[2]", config);
        Assert.Contains("\"max_window_layers\":4", config);
        Assert.Contains("\"eos_token_id\":[1,2,3]", config);
        Assert.Contains("\"limit\":[0.0,1e999]", config);
    }

    [Fact]
    public void A_config_that_cannot_say_the_new_number_of_layers_is_a_warning()
    {
        _models.Write("a", """{"blocks": 3}""", SmallModels.Llama(3, 0));
        var plan = Plan("merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [0, 2]}]}]\n");
        Assert.Contains("the output has 2 layers", Assert.Single(plan.Warnings).Found);
    }

    [Fact]
    public void A_filter_that_matches_no_tensor_of_the_models_is_a_warning()
    {
        Llama("a", 2, 0);
        var plan = Plan("merge_method: linear\nmodels: [a]\nparameters:\n  weight: [{filter: self_atn, value: 1}, {value: 1}]\n");
        Assert.Equal("the filter 'self_atn' matches no tensor", Assert.Single(plan.Warnings).Found);
    }

    [Theory]
    [InlineData("model.embed_tokens.weight", 2, true)]
    [InlineData("bert.embeddings.LayerNorm.weight", 1, true)]
    [InlineData("transformer.wpe.weight", 2, true)]
    [InlineData("vision_model.pre_layrnorm.weight", 1, true)]
    [InlineData("model.norm.weight", 1, false)]
    [InlineData("transformer.ln_f.bias", 1, false)]
    [InlineData("lm_head.weight", 2, false)]
    [InlineData("embed_out.weight", 2, false)]
    [InlineData("bert.pooler.dense.weight", 2, false)]
    public void What_comes_before_and_after_the_layers_is_read_off_the_name(string name, int rank, bool before) =>
        Assert.Equal(before, TensorNaming.IsBeforeLayers(name, rank));
}

using Merge.Recipes;
using Merge.Sdk;

namespace Host.Tests.Recipes;

/// <summary>A configuration of mergekit-evolve is the same search.</summary>
public sealed class EvolveGenomeTests
{
    [Fact]
    public void Its_genome_and_tasks_become_a_recipe_with_a_search()
    {
        var recipe = RecipeParser.Parse("evolve.yml", """
            genome:
              models: [a, b, c]
              merge_method: dare_ties
              base_model: base
              tokenizer_source: null
              layer_granularity: 8
              normalize: false
              allow_negative_weights: true
              smooth: false
              filters: [self_attn, mlp]
            tasks:
              - name: arc_easy
                weight: 0.5
                metric: acc_norm,none
              - hellaswag
            limit: 200
            num_fewshot: 2
            apply_chat_template: false
            """);
        Assert.Equal(("dare_ties", "base", DType.BF16), (recipe.Method, recipe.BaseModel!.Text, recipe.DType));
        Assert.Equal(["a", "b", "c"], recipe.Models.Select(m => m.Model.Text));
        Assert.Equal(2, recipe.Models[0].Model.Line);
        var search = recipe.Search!;
        Assert.Equal(("cma-es", 100, 8, false), (search.Searcher, search.Trials, search.LayersPerGroup, search.IsSmooth));
        Assert.Equal(["self_attn", "mlp"], search.Filters);
        Assert.Equal([("weight", (-1.0, 1.0), true), ("density", (0.01, 1), false)], search.Space.Select(s => (s.Name, s.Range!.Value, s.IsOpen)));
        Assert.Equal("0.3333333333333333", ((ParameterScalar)recipe.Parameters.Find("weight")!.Value).Text);
        Assert.Equal([("arc_easy/acc_norm", 0.5), ("hellaswag/acc", 1)], recipe.Objective!.Terms.Select(t => (t.Metric, t.Weight)));
        Assert.Equal(EvaluatorKind.Worker, recipe.Evaluate!.Kind);
        Assert.Equal(
            ["--tasks", "arc_easy,hellaswag", "--limit", "200", "--num-fewshot", "2", "--fewshot-as-multiturn"],
            recipe.Evaluate.Arguments.Skip(2));
    }

    [Fact]
    public void Sections_of_its_own_go_before_what_the_tasks_say()
    {
        var recipe = RecipeParser.Parse("evolve.yml", """
            genome: {models: [a, b], merge_method: slerp}
            tasks: [arc_easy]
            search: {searcher: random, trials: 7}
            evaluate: {plugin: digits}
            objective: {minimize: loss}
            """);
        Assert.Equal(("random", 7), (recipe.Search!.Searcher, recipe.Search.Trials));
        Assert.Equal(("digits", "loss"), (recipe.Evaluate!.Plugin, recipe.Objective!.Terms[0].Metric));
        Assert.Equal("a", recipe.BaseModel!.Text);
    }

    [Fact]
    public void What_is_wrong_with_it_is_told_at_once()
    {
        var stop = Assert.Throws<MergeException>(() => RecipeParser.Parse("evolve.yml", """
            genome:
              models: [a, b, c]
              merge_method: karcher
              layer_granularty: 8
            taks: []
            """));
        Assert.Equal(
            ["there is no key 'taks' in 'mergekit-evolve's configuration'", "there is no key 'layer_granularty' in 'genome'", "mergekit-evolve has no genome for 'karcher'"],
            stop.Diagnostics.Select(d => d.Found).Take(3));
    }
}

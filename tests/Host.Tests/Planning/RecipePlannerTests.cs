using Merge.Planning;
using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Planning;

public sealed class RecipePlannerTests : IDisposable
{
    private static readonly string Installed =
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../merge/plugins"));

    private readonly TestModels _models = new();
    private readonly PluginCatalog _catalog = PluginCatalog.Load(PluginFolders.At(Installed));

    public RecipePlannerTests()
    {
        foreach (var name in new[] { "base", "a", "b" })
            _models.Write(name, null, Of("w", 1, 2));
    }

    public void Dispose()
    {
        _catalog.Dispose();
        _models.Dispose();
    }

    [Fact]
    public void A_base_that_is_needed_and_too_few_models_are_reported_together()
    {
        var problems = Refused("""
            merge_method: wise-ft
            models:
              - model: a
              - model: b
            parameters: {alpha: 0.5}
            """);
        Assert.Equal(
            ["wise-ft needs a base model", "wise-ft is given 2 models, the base not counted"],
            problems.Select(p => p.Found));
        Assert.Equal("1", problems[1].Expected);
        Assert.EndsWith("r.yaml, line 1", problems[1].Where);
    }

    [Fact]
    public void A_base_among_the_models_is_not_one_of_them_where_the_method_needs_it()
    {
        var plan = Plan("""
            merge_method: task_arithmetic
            base_model: base
            models:
              - model: base
              - model: a
                parameters: {weight: 0.5}
            """);
        Assert.Single(plan.Models);
        Assert.Equal("a", Path.GetFileName(plan.Models[0].Path));
        Assert.Equal("base", Path.GetFileName(plan.Base!.Path));
        Assert.Equal(2, plan.Origin.ModelTexts.Count);
    }

    [Fact]
    public void A_base_alone_leaves_no_model() => Assert.Equal(
        "task_arithmetic is given 0 models, the base not counted",
        Assert.Single(Refused("""
            merge_method: task_arithmetic
            base_model: base
            models:
              - model: base
                parameters: {weight: 0.5}
            """)).Found);

    [Fact]
    public void A_base_the_method_does_not_use_stays_one_of_the_models_and_lends_its_config()
    {
        var plan = Plan("""
            merge_method: uniform
            base_model: base
            models: [{model: a}, {model: base}]
            """);
        Assert.Equal(["a", "base"], plan.Models.Select(m => Path.GetFileName(m.Path)));
        Assert.Null(plan.Base);
        Assert.Equal("base", Path.GetFileName(plan.Donor.Path));
    }

    [Fact]
    public void The_same_model_twice_counts_twice()
    {
        var plan = Plan("""
            merge_method: linear
            models:
              - model: a
                parameters: {weight: 1}
              - model: a
                parameters: {weight: 2}
              - model: b
                parameters: {weight: 3}
            """);
        Assert.Equal(3, Assert.Single(plan.Tensors).Models.Length);
        Assert.Equal(["a", "b"], plan.Origin.ModelTexts);
        Assert.Equal(2, plan.InputFiles.Count);
    }

    [Theory]
    [InlineData("", DType.F32)]
    [InlineData("dtype: bfloat16", DType.BF16)]
    [InlineData("dtype: bfloat16\nout_dtype: float16", DType.F16)]
    [InlineData("out_dtype: float64", DType.F64)]
    public void The_output_dtype_is_out_dtype_else_dtype_else_the_models(string dtypes, DType expected)
    {
        var plan = Plan($"merge_method: uniform\nmodels: [{{model: a}}, {{model: b}}]\n{dtypes}\n");
        Assert.Equal(expected, Assert.Single(plan.Tensors).OutType);
    }

    [Fact]
    public void An_unknown_method_is_named_with_its_line_and_the_nearest()
    {
        var problem = Assert.Single(Refused("\nmerge_method: lineer\nmodels: [{model: a}]\n"));
        Assert.EndsWith("r.yaml, line 2", problem.Where);
        Assert.Contains("'linear'", problem.Fix);
    }

    [Fact]
    public void Tensors_of_another_kind_or_shape_are_named_with_the_recipes_line()
    {
        _models.Write("codes", null, Shaped("w", DType.I32, 2));
        _models.Write("long", null, Of("w", 1, 2, 3));
        foreach (var other in new[] { "codes", "long" })
        {
            var problem = Assert.Single(Refused($"\nmerge_method: uniform\nmodels: [{{model: a}}, {{model: {other}}}]\n"));
            Assert.StartsWith("w, merged by ", problem.Where);
            Assert.EndsWith("r.yaml, line 2", problem.Where);
        }
    }

    [Fact]
    public void Every_model_that_cannot_be_opened_is_reported()
    {
        File.WriteAllText(Path.Combine(_models["a"], "model.safetensors"), "no");
        File.WriteAllText(Path.Combine(_models["b"], "model.safetensors"), "no");
        Assert.Equal(2, Refused("merge_method: uniform\nmodels: [{model: a}, {model: b}]\n").Count);
    }

    private MergePlan Plan(string text)
    {
        using var planner = new RecipePlanner(_catalog, []);
        return planner.Plan(RecipeParser.Parse(_models["r.yaml"], text), PlanRequest.DefaultMaxShardBytes);
    }

    private IReadOnlyList<Diagnostic> Refused(string text) =>
        Assert.Throws<MergeException>(() => Plan(text)).Diagnostics;
}

using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Planning;

public sealed class TensorMatchingTests : IDisposable
{
    private const string Ties = """{"tie_word_embeddings": true}""";
    private const string TiesWithin = """{"text_config": {"tie_word_embeddings": true}}""";
    private static readonly TestTensor Embedding = Shaped("model.embed_tokens.weight", DType.F32, 4, 2);
    private static readonly TestTensor Head = Shaped("lm_head.weight", DType.F32, 4, 2);

    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public void Missing_and_extra_tensors_of_all_models_are_reported_at_once()
    {
        var a = _models.Add("a", Of("v", 1), Of("w", 1), Of("only_a", 1));
        var b = _models.Add("b", Of("v", 1), Of("w", 1), Of("extra", 1));
        var c = _models.Add("c", Of("w", 1), Of("only_a", 1), Of("extra", 1));
        var problems = Plans.Refused(Plans.Request(a, b, c));
        Assert.Equal(3, problems.Count);
        Assert.Equal("'a' lacks 1 tensor that 'b' or another model has: extra", problems[0].Found);
        Assert.Equal("'b' lacks 1 tensor that 'a' or another model has: only_a", problems[1].Found);
        Assert.Equal("'c' lacks 1 tensor that 'a' or another model has: v", problems[2].Found);
        Assert.Equal(_models["c"], problems[2].Where);
    }

    [Fact]
    public void The_nearest_name_is_shown_for_a_missing_tensor()
    {
        var a = _models.Add("a", Of("model.layers.0.weight", 1));
        var b = _models.Add("b", Of("model.layer.0.weight", 1));
        Assert.Contains(
            "nearest to 'model.layers.0.weight' there: 'model.layer.0.weight'", Plans.Refused(Plans.Request(a, b))[1].Fix);
    }

    [Fact]
    public void Shapes_that_differ_are_all_reported_with_the_tensors_name()
    {
        var a = _models.Add("a", Shaped("v", DType.F32, 2, 3), Shaped("w", DType.F32, 4));
        var b = _models.Add("b", Shaped("v", DType.F32, 3, 2), Shaped("w", DType.F32, 2, 2));
        var problems = Plans.Refused(Plans.Request(a, b));
        Assert.Equal(["v", "w"], problems.Select(p => p.Where));
        Assert.Equal("its shape differs: [2, 3] in 'a', [3, 2] in 'b'", problems[0].Found);
        Assert.Equal("its shape differs: [4] in 'a', [2, 2] in 'b'", problems[1].Found);
    }

    [Fact]
    public void Numbers_in_one_model_and_codes_in_another_are_refused()
    {
        var a = _models.Add("a", Shaped("w", DType.F32, 4));
        var b = _models.Add("b", Shaped("w", DType.I32, 4));
        var problem = Assert.Single(Plans.Refused(Plans.Request(a, b)));
        Assert.Equal("w", problem.Where);
        Assert.Contains("F32 in 'a', I32 in 'b'", problem.Found);
        Assert.Equal("w", Assert.Single(Plans.Refused(Plans.Request(b, a))).Where);
    }

    [Fact]
    public void Integers_are_copied_from_the_donor()
    {
        var a = _models.Add("a", Shaped("n", DType.I64, 4), Of("w", 1));
        var b = _models.Add("b", Shaped("n", DType.I32, 4), Of("w", 1));
        var plan = MergePlanner.Plan(Plans.Request(a) with { Base = b, Donor = b });
        var copied = plan.Tensors.Single(t => t.Info.Name == "n");
        Assert.True(copied.IsCopied);
        Assert.Equal(DType.I32, copied.OutType);
        Assert.Same(b.Find("n"), Assert.Single(copied.Models));
        Assert.Same(a.Find("n"), Plans.Of(a, b).Tensors.Single(t => t.IsCopied).Models[0]);
    }

    [Fact]
    public void A_head_tied_in_every_model_is_absent()
    {
        var a = _models.AddWith("a", Ties, Embedding);
        var b = _models.AddWith("b", Ties, Embedding);
        var plan = Plans.Of(a, b);
        Assert.Equal(Embedding.Name, Assert.Single(plan.Tensors).Info.Name);
        Assert.Empty(plan.Warnings);
    }

    [Theory]
    [InlineData(Ties)]
    [InlineData(TiesWithin)]
    public void The_embedding_stands_for_a_head_that_a_tied_model_does_not_store(string config)
    {
        var a = _models.Add("a", Embedding, Head);
        var b = _models.AddWith("b", config, Embedding);
        var head = Plans.Of(a, b).Tensors.Single(t => t.Info.Name == Head.Name);
        Assert.Same(a.Find(Head.Name), head.Models[0]);
        Assert.Same(b.Find(Embedding.Name), head.Models[1]);
    }

    [Fact]
    public void A_missing_head_is_an_error_where_no_config_ties_it()
    {
        var a = _models.Add("a", Embedding, Head);
        var b = _models.Add("b", Embedding);
        Assert.Contains("'b' lacks 1 tensor", Assert.Single(Plans.Refused(Plans.Request(a, b))).Found);
    }

    [Fact]
    public void Tensors_are_taken_in_the_donors_order()
    {
        var a = _models.Add("a", Of("x", 1), Of("y", 1));
        var b = _models.Add("b", Shaped("y", DType.F64, 1), Of("x", 1));
        Assert.Equal(["x", "y"], Plans.Of(a, b).Tensors.Select(t => t.Info.Name));
        Assert.Equal(
            ["y", "x"],
            MergePlanner.Plan(Plans.Request(a) with { Base = b, Donor = b }).Tensors.Select(t => t.Info.Name));
    }

    [Fact]
    public void A_donor_that_only_lends_its_config_must_have_the_models_shapes()
    {
        var donor = _models.Add("donor", Shaped("n", DType.I64, 8), Shaped("w", DType.F32, 3, 2));
        var a = _models.Add("a", Shaped("n", DType.I64, 4), Shaped("w", DType.F32, 2, 3));
        Assert.Equal(["n", "w"], Plans.Refused(Plans.Request(a) with { Donor = donor }).Select(p => p.Where).Order());
    }

    [Fact]
    public void A_donor_that_only_lends_its_config_must_have_the_models_kinds_of_number()
    {
        var donor = _models.Add("donor", Shaped("w", DType.I64, 4));
        var a = _models.Add("a", Shaped("w", DType.F32, 4));
        Assert.Equal("w", Assert.Single(Plans.Refused(Plans.Request(a) with { Donor = donor })).Where);
    }

    [Fact]
    public void A_donor_that_only_lends_its_config_need_not_have_every_tensor()
    {
        var donor = _models.Add("donor", Shaped("w", DType.BF16, 4), Of("extra", 1));
        var a = _models.Add("a", Shaped("w", DType.F32, 4), Of("v", 1));
        var plan = MergePlanner.Plan(Plans.Request(a) with { Donor = donor });
        Assert.Equal(
            [("v", DType.F32), ("w", DType.BF16)],
            plan.Tensors.Select(t => (t.Info.Name, t.OutType)).Order());
    }

    [Fact]
    public void The_same_model_twice_counts_twice()
    {
        var a = _models.Add("a", Of("w", 1));
        var twice = new PlannedModel("a", a.Checkpoint);
        Assert.Equal(2, Assert.Single(Plans.Of(a, twice).Tensors).Models.Length);
        Assert.Single(Plans.Of(a, twice).InputFiles);
    }
}

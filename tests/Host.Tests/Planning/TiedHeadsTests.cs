using System.Text.Json.Nodes;
using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Planning;

public sealed class TiedHeadsTests : IDisposable
{
    private const string Tied = """{"tie_word_embeddings": true}""";
    private const string Untied = """{"tie_word_embeddings": false}""";

    private static readonly TestTensor Positions = Shaped("a.wpe.weight", DType.F32, 4, 2);
    private static readonly TestTensor Embedding = Shaped("wte.weight", DType.F32, 4, 2);
    private static readonly TestTensor Head = Shaped("lm_head.weight", DType.F32, 4, 2);

    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public void Where_the_donor_ties_another_models_head_is_merged_and_the_output_is_untied()
    {
        var a = _models.AddWith("a", Tied, Positions, Embedding);
        var b = _models.AddWith("b", Untied, Positions, Embedding, Head);
        var plan = Plans.Of(a, b);
        var head = plan.Tensors.Single(t => t.Info.Name == Head.Name);
        // Of the two embeddings the one of tokens stands for the head.
        Assert.Same(a.Find(Embedding.Name), head.Models[0]);
        Assert.Same(b.Find(Head.Name), head.Models[1]);
        Assert.False((bool)JsonNode.Parse(plan.Config!)!["tie_word_embeddings"]!);
        var warning = Assert.Single(plan.Warnings);
        Assert.Equal((Severity.Warning, Head.Name), (warning.Severity, warning.Where));
        Assert.StartsWith("'a', whose config the output takes, ties its output head to the embedding, but 'b'", warning.Found);
    }

    [Fact]
    public void Where_the_donor_is_untied_a_tied_models_embedding_is_its_head()
    {
        var a = _models.AddWith("a", Untied, Embedding, Head);
        var b = _models.AddWith("b", Tied, Embedding);
        var plan = Plans.Of(a, b);
        Assert.Same(b.Find(Embedding.Name), plan.Tensors.Single(t => t.Info.Name == Head.Name).Models[1]);
        Assert.Null(plan.Config);
        Assert.Empty(plan.Warnings);
    }

    [Fact]
    public void A_head_that_tied_models_store_all_the_same_is_left_out()
    {
        var a = _models.AddWith("a", Tied, Embedding, Head);
        var b = _models.AddWith("b", Tied, Embedding);
        var plan = Plans.Of(a, b);
        Assert.Equal(Embedding.Name, Assert.Single(plan.Tensors).Info.Name);
        Assert.Empty(plan.Warnings);
    }

    [Fact]
    public void A_head_that_a_tied_model_stores_beside_an_untied_one_is_not_read()
    {
        var a = _models.AddWith("a", Untied, Embedding, Head);
        var b = _models.AddWith("b", Tied, Embedding, Head);
        Assert.Same(
            b.Find(Embedding.Name), Plans.Of(a, b).Tensors.Single(t => t.Info.Name == Head.Name).Models[1]);
    }

    [Fact]
    public void A_config_that_says_nothing_ties_where_there_is_no_head()
    {
        var a = _models.AddWith("a", "{}", Embedding, Head);
        var b = _models.AddWith("b", "{}", Embedding);
        Assert.False(a.TiesHead);
        Assert.True(b.TiesHead);
        Assert.Same(b.Find(Embedding.Name), Plans.Of(a, b).Tensors.Single(t => t.Info.Name == Head.Name).Models[1]);
    }

    [Fact]
    public void Where_only_an_unmerged_donor_is_untied_the_output_is_tied()
    {
        var donor = _models.AddWith("donor", Untied, Embedding, Head);
        var a = _models.AddWith("a", Tied, Embedding);
        var plan = MergePlanner.Plan(Plans.Request(a) with { Donor = donor });
        Assert.Single(plan.Tensors);
        Assert.True((bool)JsonNode.Parse(plan.Config!)!["tie_word_embeddings"]!);
        Assert.Single(plan.Warnings);
    }

    [Fact]
    public void A_classifier_is_no_head_an_embedding_could_stand_for()
    {
        var a = _models.AddWith("a", Tied, Embedding, Shaped("score.weight", DType.F32, 4, 2));
        var b = _models.AddWith("b", Tied, Embedding);
        Assert.Contains("'b' lacks 1 tensor", Assert.Single(Plans.Refused(Plans.Request(a, b))).Found);
    }
}

using Host.Tests.Planning;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Host.Tests.Merging;

public sealed class IngredientGramTests : IDisposable
{
    private readonly TestModels _models = new();

    [Fact]
    public void Products_are_those_of_the_differences_to_the_base()
    {
        var found = Of(Plan(Model("a", 1, 2, 4), Model("b", 0, 5, 1), theta0: Model("base", 1, 1, 1)));
        // Δ_a = (0, 1, 3), Δ_b = (−1, 4, 0)
        Assert.True(found.HasBase);
        Assert.Equal([10, 4, 4, 17], Values(found.Products));
    }

    [Fact]
    public void Without_a_base_they_are_those_of_the_differences_to_the_first_model()
    {
        var found = Of(Plan(Model("a", 1, 2, 4), Model("b", 0, 5, 1)));
        Assert.False(found.HasBase);
        Assert.Equal([0, 0, 0, 19], Values(found.Products));
    }

    [Fact]
    public void Tensors_are_added_up_and_integers_are_no_part_of_it()
    {
        var found = Of(Plan(
            _models.Add("a", TestTensor.Of("x", 1), TestTensor.Of("y", 2, 2), TestTensor.Shaped("ids", DType.I64, 3)),
            _models.Add("b", TestTensor.Of("x", 3), TestTensor.Of("y", 2, 5), TestTensor.Shaped("ids", DType.I64, 3))));
        Assert.Equal(4 + 9, found.Products[1, 1]);
        Assert.Equal(0, found.TensorsLeftOut);
    }

    [Fact]
    public void A_small_budget_reads_more_often_and_gives_the_same_bits()
    {
        var plan = Plan([.. Enumerable.Range(0, 9).Select(m => Model($"m{m}", [.. Enumerable.Range(0, 9000).Select(i => ((i * (m + 3)) % 101) / 7f)]))]);
        var whole = Of(plan, new RunSettings { Threads = 1 });
        var inParts = Of(plan, new RunSettings { Threads = 3, Memory = 3_000_000, BlockBytes = 1 << 14 });
        Assert.Equal(Values(whole.Products), Values(inParts.Products));
        Assert.True(whole.Products[8, 8] > 0);
    }

    [Fact]
    public void It_stops_when_it_is_told_to()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        var plan = Plan(Model("a", 1), Model("b", 2));
        Assert.Throws<OperationCanceledException>(() => IngredientGram.Of(plan, Runs.TwoThreads, new RunProgress(), stop.Token));
    }

    public void Dispose() => _models.Dispose();

    private PlannedModel Model(string name, params float[] values) => _models.Add(name, TestTensor.Of("weight", values));

    private static MergePlan Plan(params PlannedModel[] models) => Plan(models, null);

    private static MergePlan Plan(PlannedModel a, PlannedModel b, PlannedModel theta0) => Plan([a, b], theta0);

    private static MergePlan Plan(PlannedModel[] models, PlannedModel? theta0) =>
        Runs.Plan(new OneLine(_ => TensorMerge.From(x => x.Models[0])), theta0, models);

    private static IngredientGram Of(MergePlan plan, RunSettings? settings = null) =>
        IngredientGram.Of(plan, settings ?? Runs.TwoThreads, new RunProgress(), CancellationToken.None);

    private static double[] Values(Matrix matrix) =>
        [.. Enumerable.Range(0, matrix.Rows).SelectMany(i => matrix.Row(i).ToArray())];
}

using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Planning;

public sealed class MismatchPolicyTests : IDisposable
{
    private static readonly TestTensor Small = Shaped("w", DType.F32, 2, 2);
    private static readonly TestTensor Large = Shaped("w", DType.F32, 3, 2);
    private static readonly TestTensor Other = Shaped("v", DType.F32, 2, 2);

    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    private sealed record Weights
    {
        public PerModel<double> Weight { get; init; } = 1;

        public double Lambda { get; init; } = 2;
    }

    [Fact]
    public void By_default_a_shape_that_differs_is_an_error_that_names_the_way_round() => Assert.Contains(
        "--on-mismatch skip-model", Assert.Single(Plans.Refused(Request(OnMismatch.Error))).Fix);

    [Fact]
    public void A_skipped_model_is_left_out_of_that_tensor_with_its_weight_and_said()
    {
        var plan = MergePlanner.Plan(Request(OnMismatch.SkipModel));
        var w = plan.Tensors.Single(t => t.Info.Name == "w");
        Assert.Equal([2L, 2], w.Info.Shape.ToArray());
        Assert.Equal(2, w.Models.Length);
        var options = Assert.IsType<Weights>(w.Options);
        Assert.Equal([0.1, 0.3], options.Weight.ToList(2));
        Assert.Equal(5, options.Lambda);
        Assert.Equal(3, plan.Tensors.Single(t => t.Info.Name == "v").Models.Length);
        var warning = Assert.Single(plan.Warnings);
        Assert.Equal(("w", "left out of this tensor, as its shape differs: 'b' ([3, 2])"), (warning.Where, warning.Found));
    }

    [Fact]
    public void Where_no_model_is_left_the_tensor_is_the_bases()
    {
        var theta0 = _models.Add("base", Small);
        var a = _models.Add("a", Large);
        var plan = MergePlanner.Plan(Plans.Request(a) with
        {
            Base = theta0,
            Donor = theta0,
            OnMismatch = OnMismatch.SkipModel,
            OutType = DType.BF16,
        });
        var w = Assert.Single(plan.Tensors);
        Assert.True(w.IsCopied);
        Assert.Same(theta0.Find("w"), w.Models[0]);
        Assert.Equal(DType.BF16, w.OutType);
    }

    [Fact]
    public void Cropped_embeddings_have_the_rows_that_all_models_have()
    {
        var a = _models.AddWith("a", """{"vocab_size": 3}""", Shaped("wte.weight", DType.F32, 3, 2));
        var b = _models.Add("b", Shaped("wte.weight", DType.F32, 2, 2));
        var plan = MergePlanner.Plan(Plans.Request(a, b) with { OnMismatch = OnMismatch.CropEmbeddings });
        var wte = Assert.Single(plan.Tensors);
        Assert.Equal([2L, 2], wte.Info.Shape.ToArray());
        Assert.Equal([2L, 2], wte.Models[0].Shape.ToArray());
        Assert.Same(b.Find("wte.weight"), wte.Models[1]);
        Assert.Contains("\"vocab_size\": 2", plan.Config);
        Assert.Equal("wte.weight", Assert.Single(plan.Warnings).Where);
    }

    [Fact]
    public void Cropping_does_not_reach_other_tensors() => Assert.Equal(
        "w", Assert.Single(Plans.Refused(Request(OnMismatch.CropEmbeddings))).Where);

    [Fact]
    public void Both_crop_embeddings_and_leave_models_out_of_the_rest()
    {
        var a = _models.Add("a", Small, Shaped("wte.weight", DType.F32, 3, 2));
        var b = _models.Add("b", Large, Shaped("wte.weight", DType.F32, 2, 2));
        var plan = MergePlanner.Plan(Plans.Request(a, b) with
        {
            OnMismatch = OnMismatch.CropEmbeddings | OnMismatch.SkipModel,
            Options = _ => new Weights(),
        });
        Assert.Equal(2, plan.Tensors.Single(t => t.Info.Name == "wte.weight").Models.Length);
        Assert.Single(plan.Tensors.Single(t => t.Info.Name == "w").Models);
        Assert.Equal(2, plan.Warnings.Count);
    }

    private PlanRequest Request(OnMismatch onMismatch) =>
        Plans.Request(_models.Add("a", Small, Other), _models.Add("b", Large, Other), _models.Add("c", Small, Other)) with
        {
            Options = _ => new Weights { Weight = new(0.1, 0.2, 0.3), Lambda = 5 },
            OnMismatch = onMismatch,
        };
}

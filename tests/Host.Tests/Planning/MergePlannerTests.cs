using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Planning;

public sealed class MergePlannerTests : IDisposable
{
    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public void Without_a_dtype_each_tensor_keeps_the_donors()
    {
        var a = _models.Add("a", Shaped("v", DType.F32, 4), Shaped("w", DType.BF16, 4));
        var b = _models.Add("b", Shaped("v", DType.F16, 4), Shaped("w", DType.F64, 4));
        Assert.Equal([DType.F32, DType.BF16], Types(Plans.Of(a, b)));
        Assert.Equal([DType.F16, DType.F64], Types(MergePlanner.Plan(Plans.Request(a) with { Base = b, Donor = b })));
    }

    [Fact]
    public void A_dtype_holds_for_everything_that_is_merged()
    {
        var a = _models.Add("a", Shaped("n", DType.U8, 4), Shaped("v", DType.F32, 4), Shaped("w", DType.BF16, 4));
        var plan = MergePlanner.Plan(Plans.Request(a) with { OutType = DType.F16 });
        Assert.Equal([DType.U8, DType.F16, DType.F16], Types(plan));
    }

    [Fact]
    public void A_model_without_tensors_is_refused()
    {
        var a = _models.Add("a");
        Assert.Equal("the models hold no tensors", Assert.Single(Plans.Refused(Plans.Request(a))).Found);
    }

    [Fact]
    public void A_quantised_model_is_refused_once_however_often_it_is_used()
    {
        var a = _models.AddWith("a", """{"quantization_config": {"quant_method": "gptq"}}""", Of("w", 1));
        Assert.Contains("gptq", Assert.Single(Plans.Refused(Plans.Request(a, a) with { Donor = a })).Found);
    }

    [Fact]
    public void Whole_and_rank_1_side_inputs_are_found_under_the_name_or_with_its_suffix()
    {
        var a = _models.Add("a", Shaped("p", DType.F32, 2, 3), Shaped("q", DType.F32, 2, 3), Of("r", 1), Of("s", 1));
        var side = Side(
            Shaped("p", DType.BF16, 2, 3),
            Of("q.sq.row_sum", 1, 2),
            Of("q.sq.column_sum", 1, 2, 3),
            Of("r.sq", 1));
        var plan = MergePlanner.Plan(Plans.Request(a) with { SideFiles = [side] });
        SideTensor? Found(string tensor) => plan.Tensors.Single(t => t.Info.Name == tensor).Side("moment", 0);
        Assert.Equal("p", Found("p")!.Whole!.Name);
        Assert.Equal(("q.sq.row_sum", "q.sq.column_sum"), (Found("q")!.RowSum!.Name, Found("q")!.ColumnSum!.Name));
        Assert.Equal("r.sq", Found("r")!.Whole!.Name);
        Assert.Null(Found("s"));
        Assert.Contains(plan.InputFiles, f => f.Model == "moments.safetensors");
    }

    [Fact]
    public void Side_inputs_of_another_shape_or_dtype_are_all_reported()
    {
        var a = _models.Add("a", Shaped("p", DType.F32, 2, 3), Shaped("q", DType.F32, 2, 3), Shaped("r", DType.F32, 2));
        var side = Side(
            Shaped("p", DType.F32, 3, 2),
            Shaped("q.row_sum", DType.F64, 2),
            Of("q.column_sum", 1, 2),
            Shaped("r", DType.I32, 2));
        var problems = Plans.Refused(Plans.Request(a) with { SideFiles = [side] });
        Assert.Equal(
            [
                "side tensor 'p' is F32 [3, 2]",
                "side tensor 'q.column_sum' is F32 [2]",
                "side tensor 'q.row_sum' is F64 [2]",
                "side tensor 'r' is I32 [2]",
            ],
            problems.Select(p => p.Found).Order());
        Assert.Contains("F32 [3]", problems.Single(p => p.Found.Contains("column_sum")).Expected);
        Assert.Contains("'org/tuned'", problems.Single(p => p.Found.Contains("'p'")).Fix);
        Assert.Contains("stored as floating-point numbers", problems.Single(p => p.Found.Contains("'r'")).Fix);
    }

    [Fact]
    public void A_side_file_that_fits_nowhere_is_told_in_a_few_lines()
    {
        var a = _models.Add("a", [.. Enumerable.Range(0, 9).Select(i => Shaped($"w{i}", DType.F32, 2))]);
        var side = Side([.. Enumerable.Range(0, 9).Select(i => Shaped($"w{i}", DType.F32, 3))]);
        var problems = Plans.Refused(Plans.Request(a) with { SideFiles = [side] });
        Assert.Equal(5, problems.Count);
        Assert.Equal("5 more side tensors do not fit", problems[^1].Found);
        Assert.Contains("'org/tuned'", problems[^1].Expected);
    }

    [Fact]
    public void A_side_file_of_another_model_is_refused_with_an_example_of_its_names()
    {
        var a = _models.Add("a", Of("w", 1));
        var problem = Assert.Single(Plans.Refused(Plans.Request(a) with { SideFiles = [Side(Of("other", 1))] }));
        Assert.Contains("has nothing for any tensor", problem.Found);
        Assert.Contains(".sq appended", problem.Expected);
        Assert.Contains("'w'", problem.Expected);
        Assert.Contains("'other'", problem.Fix);
        Assert.Contains("'org/tuned'", problem.Fix);
    }

    [Fact]
    public void Half_of_a_rank_1_side_input_is_refused()
    {
        var a = _models.Add("a", Shaped("p", DType.F32, 2, 3), Of("r", 1));
        var side = Side(Of("r", 1), Of("p.row_sum", 1, 2));
        var problem = Assert.Single(Plans.Refused(Plans.Request(a) with { SideFiles = [side] }));
        Assert.Contains("'p.row_sum'", problem.Found);
        Assert.Contains("p.column_sum", problem.Expected);
    }

    private SideFile Side(params TestTensor[] tensors)
    {
        _models.Write("side", null, tensors);
        return new("moment", 0, "org/tuned", ".sq", "moments.safetensors", _models.Open("side"));
    }

    private static IEnumerable<DType> Types(MergePlan plan) =>
        plan.Tensors.OrderBy(t => t.Info.Name, StringComparer.Ordinal).Select(t => t.OutType);
}

using Merge.Sdk;
using Plugins.Tests.Engine;

namespace Plugins.Tests;

/// <summary>What a strategy may ask of side inputs that are matrices, and what it is told where it may not.</summary>
public sealed class SideMatrixTests
{
    private static readonly MergeOnEngine _runner = new(EngineSettings.Of());

    public sealed record Options
    {
        [Parameter("matrix"), SideInput("matrix", SideShape.InputGram)]
        public PerModel<string?> MatrixPath { get; init; }

        [Parameter("moment"), SideInput("moment")]
        public PerModel<string?> MomentPath { get; init; }
    }

    [Fact]
    public void A_matrix_and_statistics_of_the_tensor_are_given_at_one_await()
    {
        var merged = Merge(new OneLine(async t =>
        {
            var sum = t.Sum(x => x.Models[0]);
            var matrix = await t.SideMatrix("matrix", 0);
            var all = await sum;
            return TensorMerge.From(x => x.Models[0] + (all * 100) + matrix[1, 0]);
        }));
        // Σ is 21, the matrix's element 6.
        Assert.Equal([2107f, 2108, 2109, 2110, 2111, 2112], merged);
    }

    [Fact]
    public void A_matrix_is_no_value_of_an_element()
    {
        var problem = Refused(new OneLine(t => ValueTask.FromResult(TensorMerge.From(x => x.Side("matrix", 0)))));
        Assert.Contains("'matrix' is used as a value of each element", problem.Found);
        Assert.Contains("TensorScan.SideMatrix", problem.Fix);
    }

    [Fact]
    public void What_has_the_tensors_shape_is_no_matrix()
    {
        var problem = Refused(new OneLine(async t => TensorMerge.Combine([(await t.SideMatrix("moment", 0))[0, 0]])));
        Assert.Contains("'moment' is asked for as a matrix", problem.Found);
        Assert.Contains("SideShape.InputGram", problem.Fix);
    }

    [Fact]
    public void A_matrix_that_is_not_there_cannot_be_asked_for() => Assert.Contains(
        "'other' of model 0, which is not there",
        Refused(new OneLine(async t => TensorMerge.Combine([(await t.SideMatrix("other", 0))[0, 0]]))).Found);

    [Fact]
    public void A_survey_cannot_ask_for_matrices() =>
        Assert.Contains("a survey asks for a side matrix", Refused(new Surveying()).Found);

    private static float[] Merge(MergeStrategy strategy)
    {
        var side = (string name, ArrayTensor tensor) => KeyValuePair.Create(
            name, new IReadOnlyDictionary<string, ArrayTensor>?[] { new Dictionary<string, ArrayTensor> { ["w"] = tensor } });
        return _runner.Merge(strategy, new Options(), MergeInputs.OfOne(null, new ArrayTensor([3, 2], [1, 2, 3, 4, 5, 6])) with
        {
            Sides = new Dictionary<string, IReadOnlyDictionary<string, ArrayTensor>?[]>(
                [side("matrix", new([2, 2], [9, 6, 6, 9])), side("moment", new([3, 2], [1, 1, 1, 1, 1, 1]))]),
        })["w"];
    }

    private static Diagnostic Refused(MergeStrategy strategy)
    {
        var problem = Assert.Throws<MergeException>(() => Merge(strategy)).Diagnostics.Single();
        Assert.Equal((Actor.PluginAuthor, "w"), (problem.Actor, problem.Where));
        return problem;
    }

    private sealed class OneLine(Func<TensorScan, ValueTask<TensorMerge>> plan) : MergeStrategy<Options>
    {
        public override StrategyInfo Info => new("one-line", "One line");

        protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) => plan(tensor);
    }

    private sealed class Surveying : MergeStrategy<Options, Matrix>
    {
        public override StrategyInfo Info => new("surveying", "Surveying");

        protected override async ValueTask<Matrix> Survey(ModelScan<Options> model) =>
            await model.Tensors[0].Scan.SideMatrix("matrix", 0);

        protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options, Matrix survey) =>
            ValueTask.FromResult(TensorMerge.Copy(0));
    }
}

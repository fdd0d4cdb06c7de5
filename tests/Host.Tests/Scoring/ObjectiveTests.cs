using Merge.Recipes;
using Merge.Scoring;
using Merge.Sdk;

namespace Host.Tests.Scoring;

public sealed class ObjectiveTests
{
    private static readonly Dictionary<string, IReadOnlyList<double>> NoExamples = [];

    private static Objective Of(string text) => new(RecipeParser.Parse("r.yaml",
        $"merge_method: linear\nmodels: [{{model: a}}]\nobjective: {text}\n").Objective!);

    private static TrialScore Score(string text, params (string Name, double Value)[] metrics) =>
        Of(text).Of(new(metrics.ToDictionary(m => m.Name, m => m.Value)), 1);

    [Theory]
    [InlineData("{maximize: a}", 2)]
    [InlineData("{minimize: a}", -2)]
    [InlineData("{maximize: {a: 1, b: -0.5}}", 0.5)]
    [InlineData("{minimize: {a: 2, b: 1}}", -7)]
    public void Higher_is_better_whatever_is_asked_for(string objective, double value) =>
        Assert.Equal(value, Score(objective, ("a", 2), ("b", 3)).Objective);

    [Theory]
    [InlineData("<= 3", 3, true)]
    [InlineData("<= 3", 3.1, false)]
    [InlineData("< 3", 3, false)]
    [InlineData(">= 3", 3, true)]
    [InlineData("> 3", 3, false)]
    public void A_broken_constraint_makes_a_trial_infeasible(string bound, double latency, bool holds)
    {
        var score = Score($"{{maximize: a, constraints: {{latency: '{bound}'}}}}", ("a", 1), ("latency", latency));
        Assert.Equal(holds ? ScoreStatus.Ok : ScoreStatus.Infeasible, score.Status);
        Assert.Equal(holds ? 1.0 : null, score.Objective);
        Assert.Equal(holds ? null : $"'latency' is {latency:R}, which is not {bound}", score.Error);
    }

    [Fact]
    public void A_constraint_on_a_metric_that_is_not_there_fails_the_trial() =>
        Assert.Equal("the evaluator gave no metric 'latency'; it gave a",
            Score("{maximize: a, constraints: {latency: '< 3'}}", ("a", 1)).Error);

    [Fact]
    public void A_sum_that_overflows_never_wins() =>
        Assert.Equal(ScoreStatus.NotANumber, Score("{maximize: {a: 1e10, b: 1e10}}", ("a", 1e300), ("b", 1e300)).Status);

    [Fact]
    public void A_metric_given_by_examples_alone_is_their_mean()
    {
        var score = Of("{maximize: a}").Of(
            new(new Dictionary<string, double>()) { Examples = new Dictionary<string, IReadOnlyList<double>> { ["a"] = [1, 0, 0, 1] } }, 1);
        Assert.Equal(0.5, score.Objective);
    }

    [Fact]
    public void Examples_of_a_weighted_sum_are_summed_and_turned_as_it_is()
    {
        var examples = new Dictionary<string, IReadOnlyList<double>> { ["a"] = [1, 2], ["b"] = [3, 4], ["c"] = [1], ["d"] = [1, double.NaN] };
        Assert.Equal([-2.5, -4], Of("{minimize: {a: 1, b: 0.5}}").Examples(examples)!);
        Assert.Null(Of("{maximize: {a: 1, c: 1}}").Examples(examples));
        Assert.Null(Of("{maximize: {a: 1, e: 1}}").Examples(examples));
        Assert.Null(Of("{maximize: d}").Examples(examples));
        Assert.Null(Of("{maximize: a}").Examples(NoExamples));
    }
}

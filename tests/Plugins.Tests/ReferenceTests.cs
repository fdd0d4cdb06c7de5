using Merge.Plugin.TaskArithmetic;
using Merge.Plugin.Subspace;
using Merge.Plugin.Uniform;
using Merge.Sdk;
using Merge.TestPlugins.Strategies;
using Plugins.Tests.Arrays;
using Plugins.Tests.Reference;

namespace Plugins.Tests;

/// <summary>Every strategy against plain code over whole arrays, on generated tensors of every rank.</summary>
public abstract class ReferenceTests
{
    private protected abstract IMergeRunner Runner { get; }

    [Fact]
    public void Uniform_is_the_mean() => MergeCase.ForAll(c =>
        Near.Relative(Averages.Uniform(c), Merge(new UniformMerge(), new UniformOptions(), c.InputsWithoutBase)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Linear_is_the_weighted_sum(bool normalize) => MergeCase.ForAll(c => Near.Relative(
        Averages.Linear(c, normalize),
        Merge(
            new LinearMerge(),
            new LinearOptions { Weight = new(c.Weights), Normalize = normalize },
            c.InputsWithoutBase)));

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    [InlineData(0.9)]
    [InlineData(1)]
    public void Ema_is_the_recursion_of_a_training_loop(double beta) => MergeCase.ForAll(c => Near.Relative(
        Averages.Ema(c, beta),
        Merge(new EmaMerge(), new EmaOptions { Beta = beta }, c.InputsWithoutBase)));

    [Fact]
    public void Wsm_replays_the_updates_with_a_decayed_rate() => MergeCase.ForAll(c =>
    {
        foreach (var (profile, f) in new (WsmProfile, Func<double, double>)[]
            { (WsmProfile.Linear, x => 1 - x), (WsmProfile.Sqrt, x => 1 - Math.Sqrt(x)) })
        {
            Near.Relative(
                Averages.Wsm(c, f), Merge(new WsmMerge(), new WsmOptions { Profile = profile }, c.InputsWithoutBase));
        }
    });

    [Theory]
    [InlineData(0.25)]
    [InlineData(0.9)]
    public void Wise_ft_lies_between_base_and_model(double alpha) => MergeCase.ForAll(
        c => Near.Relative(
            Averages.WiseFt(c, alpha), Merge(new WiseFtMerge(), new WiseFtOptions { Alpha = alpha }, c.Inputs)),
        maxModels: 1);

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 0.7)]
    [InlineData(true, 1.3)]
    public void Task_arithmetic_adds_task_vectors(bool normalize, double lambda) => MergeCase.ForAll(c => Near.Relative(
        TaskVectorMethods.TaskArithmetic(c, normalize, lambda),
        Merge(
            new TaskArithmeticMerge(),
            new TaskArithmeticOptions { Weight = new(c.Weights), Normalize = normalize, Lambda = lambda },
            c.Inputs),
        tolerance: 4e-6));

    [Fact]
    public void Row_softmax_shares_by_row() => MergeCase.ForAll(c => Near.Relative(
        RowMethods.RowSoftmax(c, 0.5),
        Merge(new RowSoftmax(), new RowSoftmaxOptions { Temperature = 0.5 }, c.Inputs),
        tolerance: 1e-5));

    [Fact]
    public void Iso_c_makes_singular_values_equal() => MergeCase.ForAll(
        c =>
        {
            // A matrix without full rank leaves the discarded directions free.
            if (c.Shape.Min() == 1 || !HasFullRank(c))
                return;
            Near.Relative(
                Subspace.IsoC(c, 0.8),
                Merge(new IsoCMerge(), new SubspaceOptions { Lambda = 0.8 }, c.Inputs),
                tolerance: 1e-5);
        },
        rank: 2);

    [Fact]
    public void Iso_c_averages_what_is_no_matrix() => MergeCase.ForAll(
        c => Near.Relative(
            TaskVectorMethods.TaskArithmetic(c with { Weights = [.. c.Weights.Select(_ => 1.0)] }, true, 0.8),
            Merge(new IsoCMerge(), new SubspaceOptions { Lambda = 0.8 }, c.Inputs)),
        rank: 1);

    private static bool HasFullRank(MergeCase c)
    {
        var values = Enumerable.Range(0, c.Count).Select(e => c.Models.Sum(m => (double)m[e] - c.Base[e]));
        var matrix = new Matrix((int)c.Shape[0], (int)c.Shape[1], [.. values]);
        return new MathNetAlgebra().Svd(matrix).Sigma is var sigma && sigma[^1] > 1e-3 * sigma[0];
    }

    private float[] Merge(MergeStrategy strategy, object options, MergeInputs inputs) =>
        Runner.Merge(strategy, options, inputs)["w"];
}

public sealed class ReferenceTestsOnArrays : ReferenceTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

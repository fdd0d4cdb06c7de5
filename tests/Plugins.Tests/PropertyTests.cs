using Merge.Plugin.TaskArithmetic;
using Merge.Plugin.Ties;
using Merge.Plugin.Uniform;
using Merge.Sdk;
using Merge.TestPlugins.Strategies;
using Plugins.Tests.Arrays;

namespace Plugins.Tests;

/// <summary>What holds of a method whatever the values.</summary>
public abstract class PropertyTests
{
    private protected abstract IMergeRunner Runner { get; }

    /// <summary>Every strategy with ordinary options for <c>models</c> models.</summary>
    private static IEnumerable<(MergeStrategy Strategy, object Options)> All(int models)
    {
        yield return (new UniformMerge(), new UniformOptions());
        yield return (new LinearMerge(), new LinearOptions { Weight = Weights(models) });
        yield return (new EmaMerge(), new EmaOptions { Beta = 0.7 });
        yield return (new WsmMerge(), new WsmOptions());
        yield return (
            new TaskArithmeticMerge(), new TaskArithmeticOptions { Weight = Weights(models), Normalize = true });
        yield return (new TiesMerge(), new TiesOptions { Weight = Weights(models) });
        yield return (new DellaMerge(), new DellaOptions { Weight = Weights(models) });
        yield return (new RowSoftmax(), new RowSoftmaxOptions());
        if (models != 1)
            yield break;
        yield return (new WiseFtMerge(), new WiseFtOptions { Alpha = 0.3 });
    }

    [Fact]
    public void Equal_inputs_return_themselves() => MergeCase.ForAll(c =>
    {
        var same = MergeInputs.OfOne(c.BaseTensor, [.. c.Models.Select(_ => c.BaseTensor)]);
        foreach (var (strategy, options) in All(c.Models.Length))
            Near.Relative([.. c.Base], Merge(strategy, options, same));
    });

    [Fact]
    public void A_task_vector_of_zero_leaves_the_base_bit_for_bit() => MergeCase.ForAll(c =>
    {
        var same = MergeInputs.OfOne(c.BaseTensor, [.. c.Models.Select(_ => c.BaseTensor)]);
        foreach (var (strategy, options) in All(c.Models.Length)
            .Where(s => s.Strategy is TaskArithmeticMerge or TiesMerge or DellaMerge or RowSoftmax))
            Assert.Equal(c.Base, Merge(strategy, options, same));
    });

    [Fact]
    public void Weight_on_one_model_alone_returns_it_bit_for_bit() => MergeCase.ForAll(c =>
    {
        for (var only = 0; only < c.Models.Length; only++)
        {
            var options = new LinearOptions { Weight = new([.. c.Models.Select((_, i) => i == only ? 1.0 : 0)]) };
            Assert.Equal(c.Models[only], Merge(new LinearMerge(), options, c.InputsWithoutBase));
        }
        Assert.Equal(c.Models[^1], Merge(new EmaMerge(), new EmaOptions { Beta = 0 }, c.InputsWithoutBase));
        Assert.Equal(c.Models[0], Merge(new EmaMerge(), new EmaOptions { Beta = 1 }, c.InputsWithoutBase));
    });

    [Fact]
    public void Wise_ft_ends_at_base_and_model_bit_for_bit() => MergeCase.ForAll(
        c =>
        {
            Assert.Equal(c.Base, Merge(new WiseFtMerge(), new WiseFtOptions { Alpha = 0 }, c.Inputs));
            Assert.Equal(c.Models[0], Merge(new WiseFtMerge(), new WiseFtOptions { Alpha = 1 }, c.Inputs));
        },
        maxModels: 1);

    [Fact]
    public void Symmetric_methods_do_not_mind_the_order_of_the_models() => MergeCase.ForAll(c =>
    {
        var reversed = c with { Models = [.. c.Models.Reverse()], Weights = [.. c.Weights.Reverse()] };
        Agree(new UniformMerge(), _ => new UniformOptions());
        Agree(new LinearMerge(), x => new LinearOptions { Weight = new(x.Weights) });
        Agree(new TaskArithmeticMerge(), x => new TaskArithmeticOptions { Weight = new(x.Weights) });
        Agree(new TiesMerge(), x => new TiesOptions { Weight = new(x.Weights), Density = c.Count > 1 ? 0.5 : 1 });
        Agree(new RowSoftmax(), _ => new RowSoftmaxOptions { Temperature = 0.5 });

        void Agree(MergeStrategy strategy, Func<MergeCase, object> options) => Near.Relative(
            [.. Merge(strategy, options(c), c.Inputs).Select(x => (double)x)],
            Merge(strategy, options(reversed), reversed.Inputs));
    });

    [Fact]
    public void A_factor_on_all_inputs_is_a_factor_on_the_result() => MergeCase.ForAll(c =>
    {
        // A power of two, so that nothing rounds differently.
        var scaled = c with { Base = Times4(c.Base), Models = [.. c.Models.Select(Times4)] };
        foreach (var (strategy, options) in All(c.Models.Length).Where(s => s.Strategy is not RowSoftmax))
            Assert.Equal(Times4(Merge(strategy, options, c.Inputs)), Merge(strategy, options, scaled.Inputs));
    });

    [Fact]
    public void Wsm_with_a_linear_decay_is_uniform() => MergeCase.ForAll(c => Near.Relative(
        [.. Merge(new UniformMerge(), new UniformOptions(), c.InputsWithoutBase).Select(x => (double)x)],
        Merge(new WsmMerge(), new WsmOptions { Profile = WsmProfile.Linear }, c.InputsWithoutBase)));

    [Fact]
    public void Averages_without_a_base_and_with_one_are_the_same() => MergeCase.ForAll(c =>
    {
        foreach (var (strategy, options) in All(c.Models.Length).Where(s => s.Strategy.Info.Base == InputRole.Unused))
            Assert.Equal(Merge(strategy, options, c.InputsWithoutBase), Merge(strategy, options, c.Inputs));
    });

    [Fact]
    public void Lambda_zero_is_the_base_bit_for_bit() => MergeCase.ForAll(c => Assert.Equal(
        c.Base,
        Merge(new TaskArithmeticMerge(), new TaskArithmeticOptions { Weight = new(c.Weights), Lambda = 0 }, c.Inputs)));

    private static PerModel<double> Weights(int models) => new([.. Enumerable.Range(1, models).Select(i => i / 4.0)]);

    private static float[] Times4(float[] values) => [.. values.Select(v => 4 * v)];

    private float[] Merge(MergeStrategy strategy, object options, MergeInputs inputs) =>
        Runner.Merge(strategy, options, inputs)["w"];
}

public sealed class PropertyTestsOnArrays : PropertyTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

using Merge.Plugin.Spherical;
using Merge.Sdk;
using Plugins.Tests.Arrays;
using Plugins.Tests.Reference;

namespace Plugins.Tests;

/// <summary>The spherical methods: their definitions, and what holds whatever the values.</summary>
public abstract class SphericalTests
{
    private protected abstract IMergeRunner Runner { get; }

    /// <summary>Every spherical method that takes so many models, with ordinary options.</summary>
    private static IEnumerable<(MergeStrategy Strategy, object Options)> All(MergeCase c)
    {
        yield return (new MultiSlerpMerge(), new MultiSlerpOptions { Weight = new(c.Weights) });
        yield return (new KarcherMerge(), new KarcherOptions());
        if (c.Models.Length == 1)
            yield return (new SlerpMerge(), new SlerpOptions { T = 0.3 });
        if (c.Models.Length != 2)
            yield break;
        foreach (var options in NuSlerps(c))
            yield return (new NuSlerpMerge(), options);
    }

    private static NuSlerpOptions[] NuSlerps(MergeCase c) =>
    [
        new() { Weight = new(c.Weights) },
        new() { Weight = new(c.Weights), NuslerpFlatten = false },
        new() { Weight = new(c.Weights), NuslerpFlatten = false, NuslerpRowWise = true },
    ];

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.5)]
    public void Slerp_follows_the_arc(double t) => MergeCase.ForAll(
        c => Near.Relative(Spherical.Slerp(c, t), Merge(new SlerpMerge(), new SlerpOptions { T = t }, c.Inputs)),
        maxModels: 1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nuslerp_follows_the_arc_of_every_vector(bool onBase) => MergeCase.ForAll(
        c =>
        {
            int?[] axes = [null, -1, 0];
            foreach (var (options, axis) in NuSlerps(c).Zip(axes))
            {
                // An arc close to half a circle magnifies the rounding of its angle.
                Near.Relative(
                    Spherical.NuSlerp(c, onBase, axis), Merge(new NuSlerpMerge(), options, Inputs(c, onBase)), 1e-4);
            }
        },
        minModels: 2,
        maxModels: 2);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Multislerp_is_the_way_through_the_tangent_space(bool onBase) => MergeCase.ForAll(c =>
    {
        if (Spherical.MultiSlerp(c, onBase) is { } expected)
        {
            var options = new MultiSlerpOptions { Weight = new(c.Weights) };
            Near.Relative(expected, Merge(new MultiSlerpMerge(), options, Inputs(c, onBase)), 1e-5);
        }
    });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    public void Karcher_steps_towards_the_mean(int steps) => MergeCase.ForAll(c => Near.Relative(
        Spherical.Karcher(c, steps, 1e-5),
        Merge(new KarcherMerge(), new KarcherOptions { MaxIter = steps }, c.InputsWithoutBase),
        tolerance: 1e-5));

    [Fact]
    public void Karcher_ends_where_the_arcs_balance() => MergeCase.ForAll(
        c =>
        {
            double[][] units = [.. c.Models.Where(m => m.Any(x => x != 0))
                .Select(m => Spherical.Unit(m.Select(x => (double)x), 0))];
            var merged = Merge(
                new KarcherMerge(), new KarcherOptions { MaxIter = 1000, Tol = 1e-7 }, c.InputsWithoutBase);
            if (units.Length == 0)
            {
                Assert.All(merged, x => Assert.Equal(0, x));
                return;
            }
            var point = Spherical.Unit(merged.Select(x => (double)x), 0);
            Assert.InRange(Spherical.Norm(Spherical.KarcherGradient(point, units, 1e-3)), 0, 1e-4);
        },
        minModels: 2);

    [Fact]
    public void Results_are_as_long_as_the_models_on_average() => MergeCase.ForAll(
        c =>
        {
            var norms = c.Models.Select(m => Spherical.Norm(m.Select(x => (double)x))).ToList();
            var total = c.Weights.Sum();
            if (Spherical.MultiSlerp(c, false) is not null)
                HasLength(norms.Zip(c.Weights, (n, w) => n * w / total).Sum(), new MultiSlerpMerge(),
                    new MultiSlerpOptions { Weight = new(c.Weights) });
            HasLength(norms.Average(), new KarcherMerge(), new KarcherOptions());

            void HasLength(double expected, MergeStrategy strategy, object options)
            {
                var merged = Merge(strategy, options, c.InputsWithoutBase);
                Assert.Equal(expected, Spherical.Norm(merged.Select(x => (double)x)), 1e-5 * Math.Max(1, expected));
            }
        },
        minModels: 2);

    [Fact]
    public void Equal_inputs_return_themselves() => MergeCase.ForAll(c =>
    {
        var same = MergeInputs.OfOne(null, [.. c.Models.Select(_ => c.BaseTensor)]);
        foreach (var (strategy, options) in All(c))
        {
            Near.Relative([.. c.Base], Merge(strategy, options, same with { Base = same.Models[0] }));
            if (strategy.Info.Base is InputRole.Optional or InputRole.Member)
                Near.Relative([.. c.Base], Merge(strategy, options, same));
        }
    });

    [Fact]
    public void A_task_vector_of_zero_leaves_the_base_bit_for_bit() => MergeCase.ForAll(c =>
    {
        var same = MergeInputs.OfOne(c.BaseTensor, [.. c.Models.Select(_ => c.BaseTensor)]);
        foreach (var (strategy, options) in All(c).Where(s => s.Strategy.Info.Base == InputRole.Optional))
            Assert.Equal(c.Base, Merge(strategy, options, same));
    });

    [Fact]
    public void Slerp_ends_at_base_and_model_bit_for_bit() => MergeCase.ForAll(
        c =>
        {
            Assert.Equal(c.Base, Merge(new SlerpMerge(), new SlerpOptions { T = 0 }, c.Inputs));
            Assert.Equal(c.Models[0], Merge(new SlerpMerge(), new SlerpOptions { T = 1 }, c.Inputs));
        },
        maxModels: 1);

    [Fact]
    public void Nuslerp_with_all_weight_on_one_model_returns_it_bit_for_bit() => MergeCase.ForAll(
        c =>
        {
            foreach (var options in NuSlerps(c))
            {
                foreach (var inputs in new[] { c.Inputs, c.InputsWithoutBase })
                {
                    Assert.Equal(c.Models[0], Merge(new NuSlerpMerge(), options with { Weight = new(2, 0) }, inputs));
                    Assert.Equal(c.Models[1], Merge(new NuSlerpMerge(), options with { Weight = new(0, 2) }, inputs));
                }
            }
        },
        minModels: 2,
        maxModels: 2);

    [Fact]
    public void One_model_alone_returns_itself_bit_for_bit() => MergeCase.ForAll(
        c =>
        {
            foreach (var (strategy, options) in All(c).Where(s => s.Strategy is MultiSlerpMerge or KarcherMerge))
                Assert.Equal(c.Models[0], Merge(strategy, options, c.InputsWithoutBase));
        },
        maxModels: 1);

    [Fact]
    public void Order_of_the_models_does_not_matter() => MergeCase.ForAll(
        c =>
        {
            var reversed = c with { Models = [.. c.Models.Reverse()], Weights = [.. c.Weights.Reverse()] };
            if (Spherical.MultiSlerp(c, false) is null || Vanishes(c))
                return;
            foreach (var (forward, backward) in All(c).Zip(All(reversed)))
            {
                Near.Relative(
                    [.. Merge(forward.Strategy, forward.Options, c.InputsWithoutBase).Select(x => (double)x)],
                    Merge(backward.Strategy, backward.Options, reversed.InputsWithoutBase),
                    1e-4);
            }
        },
        minModels: 2);

    [Fact]
    public void A_factor_on_all_inputs_is_a_factor_on_the_result() => MergeCase.ForAll(c =>
    {
        if (Spherical.MultiSlerp(c, true) is null)
            return;
        var scaled = c with { Base = Times4(c.Base), Models = [.. c.Models.Select(Times4)] };
        foreach (var (strategy, options) in All(c))
        {
            Near.Relative(
                [.. Times4(Merge(strategy, options, c.Inputs)).Select(x => (double)x)],
                Merge(strategy, options, scaled.Inputs));
        }
    });

    [Fact]
    public void Opposite_models_of_any_length_give_no_blow_up() => MergeCase.ForAll(
        c =>
        {
            var opposite = c with { Models = [c.Models[0], [.. c.Models[0].Select(x => -3 * x)]] };
            foreach (var options in NuSlerps(opposite))
            {
                var merged = Merge(new NuSlerpMerge(), options with { Weight = 1 }, opposite.InputsWithoutBase);
                Near.Relative([.. c.Models[0].Select(x => -(double)x)], merged);
            }
        },
        maxModels: 1);

    private static bool Vanishes(MergeCase c)
    {
        var units = c.Models.Select(m => Spherical.Unit(m.Select(x => (double)x), 1e-7)).ToList();
        return Spherical.Norm(units[0].Select((_, e) => units.Average(u => u[e]))) < 1e-3;
    }

    private static MergeInputs Inputs(MergeCase c, bool onBase) => onBase ? c.Inputs : c.InputsWithoutBase;

    private static float[] Times4(float[] values) => [.. values.Select(v => 4 * v)];

    private float[] Merge(MergeStrategy strategy, object options, MergeInputs inputs) =>
        Runner.Merge(strategy, options, inputs)["w"];
}

public sealed class SphericalTestsOnArrays : SphericalTests
{
    private protected override IMergeRunner Runner { get; } = new MergeOnArrays();
}

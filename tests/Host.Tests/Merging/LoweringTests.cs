using System.Runtime.InteropServices;
using Host.Tests.Planning;
using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class LoweringTests : IDisposable
{
    /// <summary>A signalling NaN with a payload, minus zero, a subnormal: what arithmetic would change.</summary>
    private static readonly float[] Delicate =
        [BitConverter.UInt32BitsToSingle(0x7FA1_2345), -0f, float.Epsilon, float.NegativeInfinity, 1, 2];

    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public void One_weight_of_1_copies_that_models_bits()
    {
        var (theta0, a, b) = (Model("base", 1), Model("a", 2), DelicateModel("b"));
        Assert.Equal(Bits(Delicate), Bits(Merge(TensorMerge.Combine([0, 1]), theta0, a, b)));
        Assert.Equal(Bits(Delicate), Bits(Merge(TensorMerge.Copy(1), theta0, a, b)));
        Assert.Equal(Bits(Delicate), Bits(Merge(TensorMerge.Combine([0, 0], baseWeight: 1), b, a, theta0)));
        Assert.Equal(Bits(Delicate), Bits(Merge(TensorMerge.CombineDeltas([0, 0]), b, a, theta0)));
        Assert.Equal(Bits(Delicate), Bits(Merge(TensorMerge.CopyBase(), b, a, theta0)));
    }

    [Fact]
    public void A_weight_of_0_leaves_its_model_out()
    {
        var (theta0, a, b) = (Model("base", 10), Model("a", 2), DelicateModel("b"));
        Assert.Equal([6, 6, 6, 6, 6, 6], Merge(TensorMerge.Combine([3, 0]), null, a, b));
        Assert.Equal([11, 11, 11, 11, 11, 11], Merge(TensorMerge.Combine([3, 0], baseWeight: 0.5), theta0, a, b));
        Assert.Equal([-14, -14, -14, -14, -14, -14], Merge(TensorMerge.CombineDeltas([3, 0]), theta0, a, b));
    }

    [Fact]
    public void Weights_of_0_alone_give_zero_whatever_the_models_hold() => Assert.Equal(
        Bits(new float[6]), Bits(Merge(TensorMerge.Combine([0, 0]), null, DelicateModel("a"), Model("b", -1))));

    [Fact]
    public void A_copy_to_another_dtype_is_converted()
    {
        var a = Model("a", 1.5f);
        var plan = MergePlanner.Plan(Plans.Request(a) with { OutType = DType.BF16 });
        var written = MemoryMarshal.Cast<byte, ushort>(Runs.Of(plan).Sink.Bytes["w"]).ToArray();
        Assert.Equal(Enumerable.Repeat((ushort)0x3FC0, 6), written);
    }

    [Fact]
    public void As_many_weights_as_models_are_asked_for()
    {
        var problem = Refused(TensorMerge.Combine([1, 2, 3]));
        Assert.Equal("the strategy combines with 3 weights", problem.Found);
        Assert.Equal("2, one a model", problem.Expected);
        Assert.Equal("2, one a model", Refused(TensorMerge.CombineDeltas([1])).Expected);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e39)]
    public void Weights_that_are_not_finite_in_float32_are_refused(double weight)
    {
        Assert.Contains("a weight of", Refused(TensorMerge.Combine([1, weight])).Found);
        Assert.Contains("a weight of", Refused(TensorMerge.Combine([1, 1], baseWeight: weight)).Found);
        Assert.Contains("a weight of", Refused(TensorMerge.CombineDeltas([weight, 0])).Found);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-1)]
    [InlineData(-7)]
    public void A_copy_of_a_model_that_is_not_there_is_refused(int model)
    {
        var problem = Refused(TensorMerge.Copy(model));
        Assert.Equal($"the strategy copies model {model}", problem.Found);
        Assert.Equal("a model from 0 to 1", problem.Expected);
    }

    [Fact]
    public void Without_a_base_what_needs_one_is_refused()
    {
        var (a, b) = (Model("x", 1), Model("y", 2));
        TensorMerge[] merges =
        [
            TensorMerge.CopyBase(), TensorMerge.CombineDeltas([0, 0]), TensorMerge.CombineDeltas([1, 0]),
            TensorMerge.Combine([1, 1], 0.5),
        ];
        foreach (var merge in merges)
        {
            var problem = Runs.Stopped(Runs.Plan(new OneLine(_ => merge), null, a, b));
            Assert.Equal((Actor.PluginAuthor, "w"), (problem.Actor, problem.Where));
            Assert.Contains("base", problem.Found);
        }
    }

    private Diagnostic Refused(TensorMerge merge)
    {
        var problem = Runs.Stopped(Runs.Plan(new OneLine(_ => merge), Model("base", 0), Model("a", 1), Model("b", 2)));
        Assert.Equal((Actor.PluginAuthor, "w"), (problem.Actor, problem.Where));
        return problem;
    }

    private static float[] Merge(TensorMerge merge, PlannedModel? theta0, params PlannedModel[] models) =>
        Runs.Of(Runs.Plan(new OneLine(_ => merge), theta0, models)).Floats("w");

    private PlannedModel DelicateModel(string name) => _models.Add(name, Of("w", Delicate));

    private PlannedModel Model(string name, float value) =>
        _models.Add(name, Of("w", [.. Enumerable.Repeat(value, 6)]));

    private static uint[] Bits(float[] values) => MemoryMarshal.Cast<float, uint>(values).ToArray();
}

using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace Plugins.Tests;

/// <summary>
/// A generated merge of one tensor. Values are multiples of 1/256 up to 2 and weights of 1/8 from ½ to 2, so that task
/// vectors and their weighted sums are exact in float32 and often tie.
/// </summary>
internal sealed record MergeCase(long[] Shape, float[] Base, float[][] Models, double[] Weights, ulong Seed)
{
    public int Count => Base.Length;

    public float[] Delta(int model) => [.. Models[model].Zip(Base, (x, y) => x - y)];

    public ArrayTensor BaseTensor => new(Shape, Base);

    public ArrayTensor[] ModelTensors => [.. Models.Select(m => new ArrayTensor(Shape, m))];

    public MergeInputs Inputs => MergeInputs.OfOne(BaseTensor, ModelTensors) with { Seed = Seed };

    public MergeInputs InputsWithoutBase => MergeInputs.OfOne(null, ModelTensors);

    /// <summary>Checks a property of 100 generated cases, the same ones every time.</summary>
    public static void ForAll(Action<MergeCase> holds, int minModels = 1, int maxModels = 5, int? rank = null)
    {
        var cases =
            from dimensions in Gen.Choose(rank ?? 0, rank ?? 4)
            from shape in Gen.Choose(1, 6).ArrayOf(dimensions)
            let count = shape.Aggregate(1, (a, b) => a * b)
            from models in Gen.Choose(minModels, maxModels)
            let values = Gen.Choose(-512, 512).Select(v => v / 256f).ArrayOf(count)
            from theta0 in values
            from thetas in values.ArrayOf(models)
            from weights in Gen.Choose(4, 16).Select(w => w / 8.0).ArrayOf(models)
            from seed in Gen.Choose(0, int.MaxValue)
            select new MergeCase([.. shape.Select(s => (long)s)], theta0, thetas, weights, (ulong)seed);
        var replay = new Replay(new Rnd(2026, 1), null);
        var config = Config.QuickThrowOnFailure.WithReplay(new FSharpOption<Replay>(replay));
        Check.One(config, Prop.ForAll(cases.ToArbitrary(), holds));
    }
}

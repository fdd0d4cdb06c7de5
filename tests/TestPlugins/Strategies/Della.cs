using Merge.Sdk;

namespace Merge.TestPlugins.Strategies;

public sealed record DellaOptions
{
    [Parameter("Weight of the model's task vector")]
    public PerModel<double> Weight { get; init; } = 1;

    [Parameter("Mean probability with which an element is kept", Bounds = "[0, inf)")]
    public PerModel<double> Density { get; init; } = 1;

    [Parameter("How far the probability rises and falls with the magnitude's rank")]
    public PerModel<double> Epsilon { get; init; } = 0.15;

    [Parameter("Restore the L1 norm of a masked task vector")]
    public bool Rescale { get; init; } = true;

    [Parameter("Divide by the weights that agree")]
    public bool Normalize { get; init; } = true;

    [Parameter("lambda, scales the merged task vector")]
    public double Lambda { get; init; } = 1;
}

/// <summary>DELLA: drop by the rank of the magnitude, at random, then elect signs.</summary>
public sealed class Della : MergeStrategy<DellaOptions>
{
    private const double VanishingNorm = 1e-7;

    public override StrategyInfo Info => new("della", "DELLA", "arXiv:2406.11617", InputRole.Required);

    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, DellaOptions options)
    {
        for (var i = 0; i < tensor.ModelCount; i++)
            Check(options.Density[i], options.Epsilon[i], tensor.Info);
        var before = tensor.EachModel(i => tensor.Sum(b => b.Deltas[i].Abs()));
        var after = tensor.EachModel(i => tensor.Sum(b => Masked(b, tensor.Info, options, i).Abs()));
        var scales = (await before).Zip(await after, (l1, masked) =>
            options.Rescale && l1 >= VanishingNorm && masked >= VanishingNorm ? l1 / masked : 1).ToList();
        var weights = options.Weight.ToList(tensor.ModelCount);
        return TensorMerge.From(b =>
        {
            var values = scales
                .Select((scale, i) => weights[i] * (scale * Masked(b, tensor.Info, options, i)))
                .ToList();
            return b.Base + (options.Lambda * TaskVectors.AgreeingSum(values, weights, options.Normalize));
        });
    }

    private static TensorExpr Masked(Block b, TensorInfo tensor, DellaOptions options, int model)
    {
        var delta = b.Deltas[model];
        var (density, epsilon) = (options.Density[model], options.Epsilon[model]);
        if (density >= 1)
            return delta;
        var axis = tensor.Rank < 2 ? 0 : 1;
        var length = tensor.Rank == 0 ? 1 : tensor.Shape[axis];
        TensorExpr keep = length == 1
            ? density
            : (density - epsilon) + (2 * epsilon * (delta.Abs().RankAlong(axis) / (double)(length - 1)));
        return delta.Masked(b.Uniform(model) < keep);
    }

    private static void Check(double density, double epsilon, TensorInfo tensor)
    {
        if (density >= 1 || (density - epsilon > 0 && density + epsilon < 1))
            return;
        throw new MergeException(new Diagnostic($"density {density:R} with epsilon {epsilon:R} leaves (0, 1)")
        {
            Where = tensor.Name,
            Expected = "density - epsilon and density + epsilon within (0, 1)",
        })
        { WrongUsage = true };
    }
}

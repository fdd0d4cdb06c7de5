using Merge.Sdk;

namespace Merge.TestPlugins.Strategies;

public sealed record TiesOptions
{
    [Parameter("Weight of the model's task vector")]
    public PerModel<double> Weight { get; init; } = 1;

    [Parameter("Share of the task vector's elements that is kept", Bounds = "[0, inf)")]
    [Searchable(0.05, 1)]
    public PerModel<double> Density { get; init; } = 1;

    [Parameter("Divide by the weights that agree")]
    public bool Normalize { get; init; } = true;

    [Parameter("lambda, scales the merged task vector")]
    public double Lambda { get; init; } = 1;
}

/// <summary>TIES merging: trim, elect a sign, sum what agrees.</summary>
public sealed class Ties : MergeStrategy<TiesOptions>
{
    public override StrategyInfo Info => new("ties", "TIES merging", "arXiv:2306.01708", InputRole.Required);

    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, TiesOptions options)
    {
        var cuts = await tensor.EachModel(
            i => tensor.Largest(b => b.Deltas[i].Abs(), Kept(tensor.Info, options.Density[i])));
        var weights = options.Weight.ToList(tensor.ModelCount);
        return TensorMerge.From(b =>
        {
            var values = b.Deltas
                .Select((delta, i) => weights[i] * delta.Masked(delta.Abs().KeptBy(cuts[i])))
                .ToList();
            return b.Base + (options.Lambda * TaskVectors.AgreeingSum(values, weights, options.Normalize));
        });
    }

    private static long Kept(TensorInfo tensor, double density)
    {
        if (density >= 1)
            return tensor.Count;
        var kept = (long)(density * tensor.Count);
        return kept > 0 ? kept : throw new MergeException(new Diagnostic($"density {density:R} keeps nothing")
        {
            Where = tensor.Name,
            Expected = $"at least {1.0 / tensor.Count:G3}",
        })
        { WrongUsage = true };
    }
}

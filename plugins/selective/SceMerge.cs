using Merge.Sdk;

namespace Merge.Plugin.Selective;

/// <summary>The parameters of <c>sce</c>, as mergekit has them.</summary>
public sealed record SceOptions
{
    /// <summary>Share of the elements whose task vectors differ that is merged; the others keep the base.</summary>
    [Parameter("Share of the elements, of those in which models differ, that is merged: where they differ most",
        Bounds = "[0, 1]")]
    [Searchable(0.05, 1)]
    public double SelectTopk { get; init; } = 1;
}

/// <summary>
/// SCE, of FuseChat (arXiv:2408.07990). Select: the elements whose task vectors vary most between models. Calculate: a
/// weight for each model, its share of the selected squares. Erase: changes against the elected sign. The rest is
/// averaged by weight.
/// </summary>
public sealed class SceMerge : MergeStrategy<SceOptions>
{
    private const double VanishingSquares = 1e-6;
    private const double VanishingWeight = 1e-6;

    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "sce", "SCE", "arXiv:2408.07990", InputRole.Required,
        Formula: "theta_0 + sum of agreeing w_i delta_i / sum of agreeing w_i where the variance of delta is largest, "
            + "w_i = mean delta_i^2 / sum_j mean delta_j^2");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, SceOptions options)
    {
        var cut = Cut.KeepAll;
        if (options.SelectTopk < 1)
        {
            var differing = await tensor.Count(b => Variance(b) > 0f);
            var keep = (long)(options.SelectTopk * differing);
            if (keep == 0)
                return TensorMerge.CopyBase();
            cut = await tensor.Largest(Variance, keep);
        }
        var squares = await tensor.EachModel(i => tensor.Dot(b => Selected(b, cut)[i], b => Selected(b, cut)[i]));
        var weights = Shares([.. squares.Select(s => s / tensor.Info.Count)]);
        return TensorMerge.From(b => b.Base + WeightedMean(Selected(b, cut), weights));
    }

    private static IReadOnlyList<TensorExpr> Selected(Block b, Cut cut) => cut == Cut.KeepAll
        ? b.Deltas
        : [.. b.Deltas.Select(d => d.Masked(Variance(b).KeptBy(cut)))];

    // About the first task vector, so that equal ones have a variance of exactly 0.
    private static TensorExpr Variance(Block b)
    {
        var models = (double)b.Deltas.Count;
        var shifted = b.Deltas.Select(d => d - b.Deltas[0]).ToList();
        var mean = shifted.Aggregate((x, y) => x + y) / models;
        return shifted.Select(d => (d - mean) * (d - mean)).Aggregate((x, y) => x + y) / models;
    }

    private static double[] Shares(double[] squares)
    {
        var sum = squares.Sum();
        return [.. squares.Select(s => sum < VanishingSquares ? 1.0 / squares.Length : s / sum)];
    }

    private static TensorExpr WeightedMean(IReadOnlyList<TensorExpr> deltas, double[] weights)
    {
        var plus = deltas.Aggregate((x, y) => x + y) >= 0f;
        TensorExpr sum = 0f;
        TensorExpr total = 0f;
        foreach (var (delta, weight) in deltas.Zip(weights))
        {
            var agrees = plus.Select(delta, -delta) > 0f;
            sum += (weight * delta).Masked(agrees);
            total += agrees.Select(weight, 0f);
        }
        return sum / TensorExpr.Max(total, VanishingWeight);
    }
}

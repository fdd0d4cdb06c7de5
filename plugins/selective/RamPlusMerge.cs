using Merge.Sdk;

namespace Merge.Plugin.Selective;

/// <summary>The parameters of <c>ramplus_tl</c>, as mergekit has them.</summary>
public sealed record RamPlusOptions
{
    /// <summary>ε: a model has changed an element where |Δ| exceeds it.</summary>
    [Parameter("epsilon, a change no larger than this is none", Bounds = "[0, inf)")]
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>r: how strongly changes of one model alone are raised.</summary>
    [Parameter("r, how much a change of one model alone is raised for each change it shares", Bounds = "[0, inf)")]
    [Searchable(0, 1)]
    public double R { get; init; } = 0.1;

    /// <summary>α: bound on shared/unique.</summary>
    [Parameter("alpha, bound on shared/unique", Bounds = "[0, inf)")]
    [Searchable(0, 1)]
    public double Alpha { get; init; } = 0.2;
}

/// <summary>
/// RAM (arXiv:2601.13572) that makes up for what averaging takes from a model: its changes that no other model made are
/// scaled by λ_i = 1 + r clip(shared_i / unique_i, 0, α), counted per tensor.
/// </summary>
public sealed class RamPlusMerge : MergeStrategy<RamPlusOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "ramplus_tl", "RAM+, tensor-local", "arXiv:2601.13572", InputRole.Required,
        Formula: "theta_0 + mean of the delta_i with |delta_i| > epsilon; one alone times "
            + "1 + r clip(shared_i/unique_i, 0, alpha)");

    /// <inheritdoc/>
    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, RamPlusOptions options)
    {
        var changedBy = tensor.EachModel(i => tensor.Count(b => new Changes(b, options.Epsilon).By[i]));
        var uniqueTo = tensor.EachModel(i => tensor.Count(b =>
        {
            var changes = new Changes(b, options.Epsilon);
            return changes.By[i] & changes.Unique;
        }));
        var factors = (await changedBy)
            .Zip(await uniqueTo, (changed, unique) => Factor(changed - unique, unique))
            .ToList();
        return TensorMerge.From(b =>
        {
            var changes = new Changes(b, options.Epsilon);
            return b.Base + changes.Unique.Select(
                changes.SumTimes(factors), changes.Sum / TensorExpr.Max(changes.Count, 1));
        });

        double Factor(long shared, long unique)
        {
            // Nothing unique: nothing that the factor would scale.
            var ratio = unique == 0 ? 0 : (double)shared / unique;
            return 1 + (options.R * Math.Min(ratio, options.Alpha));
        }
    }
}

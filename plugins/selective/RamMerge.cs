using Merge.Sdk;

namespace Merge.Plugin.Selective;

/// <summary>The parameters of <c>ram</c>, as mergekit has them.</summary>
public sealed record RamOptions
{
    /// <summary>ε: a model has changed an element where |Δ| exceeds it.</summary>
    [Parameter("epsilon, a change no larger than this is none", Bounds = "[0, inf)")]
    public double Epsilon { get; init; } = 1e-5;
}

/// <summary>
/// Reinforced agent merging (arXiv:2601.13572): an element that one model changed takes its change whole, one that
/// several changed the mean of theirs.
/// </summary>
public sealed class RamMerge : MergeStrategy<RamOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "ram", "RAM", "arXiv:2601.13572", InputRole.Required,
        Formula: "theta_0 + mean of the delta_i with |delta_i| > epsilon");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, RamOptions options) =>
        ValueTask.FromResult(TensorMerge.From(b =>
        {
            var changes = new Changes(b, options.Epsilon);
            return b.Base + (changes.Sum / TensorExpr.Max(changes.Count, 1));
        }));
}

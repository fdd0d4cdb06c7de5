using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>
/// DELLA (Deep et al. 2024, arXiv:2406.11617): drop elements of each task vector at random, large ones more rarely,
/// and rescale the rest.
/// </summary>
/// <typeparam name="TOptions">With the method's own defaults.</typeparam>
public abstract class Della<TOptions> : MergeStrategy<TOptions>
    where TOptions : DellaOptions, new()
{
    private protected Della()
    {
    }

    private protected abstract TensorMerge Merge(TaskVectorSum sum);

    /// <inheritdoc/>
    protected sealed override async ValueTask<TensorMerge> Plan(TensorScan tensor, TOptions options)
    {
        Mask?[] masks = [.. Enumerable.Range(0, tensor.ModelCount)
            .Select(i => RandomDrop.ByRank(tensor.Info, options.Density[i], options.Epsilon[i], i))];
        var factors = options.Rescale
            ? L1Norm.Factors(masks, await L1Norm.BeforeAndAfter(tensor, masks))
            : null;
        return Merge(new TaskVectorSum(options, masks, factors));
    }
}

/// <summary>DELLA: of what stays only that added up which agrees in sign.</summary>
public sealed class DellaMerge : Della<DellaOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "della", "DELLA", "arXiv:2406.11617", InputRole.Required,
        Formula: "theta_0 + lambda sum_agreeing x_i / sum_agreeing w_i, x_i = w_i s_i m_i (theta_i - theta_0), "
            + "m_i 1 with probability density - epsilon to density + epsilon by rank");

    private protected override TensorMerge Merge(TaskVectorSum sum) => sum.Elected();
}

/// <summary>DELLA's dropping, all that stays added up.</summary>
public sealed class DellaLinearMerge : Della<DellaLinearOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "della_linear", "DELLA without sign election", "arXiv:2406.11617", InputRole.Required,
        Formula: "theta_0 + lambda sum_i w_i s_i m_i (theta_i - theta_0), "
            + "m_i 1 with probability density - epsilon to density + epsilon by rank");

    private protected override TensorMerge Merge(TaskVectorSum sum) => sum.Plain();
}

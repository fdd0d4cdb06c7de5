using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>
/// DARE (Yu et al. 2023, arXiv:2311.03099): drop elements of each task vector at random and rescale the rest.
/// </summary>
public abstract class Dare : MergeStrategy<DareOptions>
{
    private protected Dare()
    {
    }

    private protected abstract TensorMerge Merge(TaskVectorSum sum);

    /// <inheritdoc/>
    protected sealed override async ValueTask<TensorMerge> Plan(TensorScan tensor, DareOptions options)
    {
        var densities = options.Density.ToList(tensor.ModelCount);
        Mask?[] masks = [.. densities.Select(RandomDrop.Evenly)];
        var factors = options.Rescale switch
        {
            Rescaling.L1 => L1Norm.Factors(masks, await L1Norm.BeforeAndAfter(tensor, masks)),
            Rescaling.InverseDensity => densities.Select(d => d is > 0 and < 1 ? 1 / d : 1).ToArray(),
            _ => null,
        };
        return Merge(new TaskVectorSum(options, masks, factors));
    }
}

/// <summary>DARE, all that stays added up.</summary>
public sealed class DareLinearMerge : Dare
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "dare_linear", "DARE", "arXiv:2311.03099", InputRole.Required,
        Formula: "theta_0 + lambda sum_i w_i s_i m_i (theta_i - theta_0), m_i 1 with probability density");

    private protected override TensorMerge Merge(TaskVectorSum sum) => sum.Plain();
}

/// <summary>DARE, of what stays only that added up which agrees in sign.</summary>
public sealed class DareTiesMerge : Dare
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "dare_ties", "DARE with TIES", "arXiv:2311.03099", InputRole.Required,
        Formula: "theta_0 + lambda sum_agreeing w_i s_i m_i (theta_i - theta_0), m_i 1 with probability density");

    private protected override TensorMerge Merge(TaskVectorSum sum) => sum.Elected();
}

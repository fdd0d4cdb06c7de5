using Merge.Sdk;

namespace Merge.Plugin.Mwa;

/// <summary>How a metric becomes a weight.</summary>
public enum MwaKernel
{
    /// <summary>g = (1/loss)^pf, or step^pf.</summary>
    Power,
    /// <summary>g = 1 − pf·m, m the metric scaled to [0, 1] with 1 = worst.</summary>
    Penalty,
    /// <summary>g = exp(−m/τ), m as above. Ours, not the paper's.</summary>
    Softmax,
}

/// <summary>What a checkpoint's metric is.</summary>
public enum MwaKind
{
    /// <summary>A loss: lower is better.</summary>
    Loss,
    /// <summary>The training step: later is better.</summary>
    Step,
}

/// <summary>The parameters of <c>mwa</c>.</summary>
public sealed record MwaOptions
{
    /// <summary>The checkpoint's training loss or step.</summary>
    [Parameter("The checkpoint's training metric: loss or step; 'metrics' of the recipe reads it from a log",
        Required = true)]
    public PerModel<double> Metric { get; init; }

    /// <summary>What it is.</summary>
    [Parameter("What the metric is: loss (lower is better) or step (later is better)")]
    public MwaKind Kind { get; init; }

    /// <summary>How it becomes a weight.</summary>
    [Parameter("power ((1/loss)^pf or step^pf), penalty (1 - pf m) or softmax (exp(-m/tau)), m 0 at best and 1 at worst")]
    public MwaKernel Kernel { get; init; }

    /// <summary>pf, the penalty factor; not used by <c>softmax</c>.</summary>
    [Parameter("pf, the penalty factor: 0 is uniform", Bounds = "[0, inf)")]
    [Searchable(0, 1.05)]
    public double Pf { get; init; } = 1;

    /// <summary>τ of <c>softmax</c>.</summary>
    [Parameter("tau of softmax: the smaller, the more the best counts", Bounds = "(0, inf)")]
    [Searchable(0.05, 5, Scale = SearchScale.Logarithmic)]
    public double Tau { get; init; } = 1;
}

/// <summary>
/// Metrics-weighted averaging of the checkpoints of one run (arXiv:2504.18580): Σ g_i θ_i / Σ g_i, g a kernel of each
/// one's training metric.
/// </summary>
public sealed class MwaMerge : MergeStrategy<MwaOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "mwa", "Metrics-weighted averaging", "arXiv:2504.18580",
        Formula: "sum_i g_i theta_i / sum_i g_i, g_i = (1/loss_i)^pf, step_i^pf, 1 - pf m_i or exp(-m_i/tau)");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, MwaOptions options) =>
        ValueTask.FromResult(TensorMerge.Combine(
            MetricWeights.Of(options.Metric.ToList(tensor.ModelCount), options)));
}

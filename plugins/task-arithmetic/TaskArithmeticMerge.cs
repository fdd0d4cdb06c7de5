using Merge.Sdk;

namespace Merge.Plugin.TaskArithmetic;

/// <summary>The parameters of <c>task_arithmetic</c>, as mergekit has them.</summary>
public sealed record TaskArithmeticOptions
{
    /// <summary>w_i: negative to unlearn a task.</summary>
    [Parameter("Weight of the model's task vector; negative takes the task away", Required = true)]
    [Searchable(0, 1)]
    public PerModel<double> Weight { get; init; }

    /// <summary>Whether the sum of task vectors is divided by Σ w_i: an average instead of a sum.</summary>
    [Parameter("Divide by the sum of the weights: average task vectors instead of adding them")]
    public bool Normalize { get; init; }

    /// <summary>λ: scales what is added to the base.</summary>
    [Parameter("lambda, scales the merged task vector")]
    [Searchable(0, 1.5)]
    public double Lambda { get; init; } = 1;
}

/// <summary>
/// θ_0 + λ Σ w_i (θ_i − θ_0), task arithmetic (Ilharco et al. 2023, arXiv:2212.04089, section 2); with
/// <c>normalize</c> the sum is divided by Σ w_i, which counts as 1 where |Σ w_i| is under 1e-8, as in mergekit.
/// </summary>
public sealed class TaskArithmeticMerge : MergeStrategy<TaskArithmeticOptions>
{
    private const double Vanishing = 1e-8;

    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "task_arithmetic", "Task arithmetic", "arXiv:2212.04089", InputRole.Required,
        Formula: "theta_0 + lambda sum_i w_i (theta_i - theta_0)");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, TaskArithmeticOptions options)
    {
        var weights = options.Weight.ToList(tensor.ModelCount);
        var sum = weights.Sum();
        var divisor = options.Normalize && Math.Abs(sum) >= Vanishing ? sum : 1;
        return ValueTask.FromResult(TensorMerge.CombineDeltas(
            [.. weights.Select(w => options.Lambda * w / divisor)]));
    }
}

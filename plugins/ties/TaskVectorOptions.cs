using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>The parameters that every method of the family has, as mergekit has them.</summary>
public abstract record TaskVectorOptions
{
    private protected TaskVectorOptions(bool normalize) => Normalize = normalize;

    /// <summary>w_i: negative to unlearn a task.</summary>
    [Parameter("Weight of the model's task vector; negative takes the task away", Required = true)]
    [Searchable(0, 1)]
    public PerModel<double> Weight { get; init; }

    /// <summary>Whether the sum is divided by the weights in it: an average instead of a sum.</summary>
    [Parameter("Divide by the sum of the weights, where signs are elected of those that agree")]
    public bool Normalize { get; init; }

    /// <summary>λ: scales what is added to the base.</summary>
    [Parameter("lambda, scales the merged task vector")]
    [Searchable(0, 1.5)]
    public double Lambda { get; init; } = 1;
}

using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>The parameters of <c>della</c>, as mergekit has them.</summary>
public record DellaOptions : TaskVectorOptions
{
    /// <summary>The defaults of <c>della</c>.</summary>
    public DellaOptions()
        : this(normalize: true)
    {
    }

    private protected DellaOptions(bool normalize)
        : base(normalize)
    {
    }

    /// <summary>Mean probability with which an element stays.</summary>
    [Parameter("Mean probability with which an element of the task vector stays; 1 keeps all", Bounds = "(0, inf)")]
    [Searchable(0.2, 0.8)]
    public PerModel<double> Density { get; init; } = 1;

    /// <summary>ε: how far the probability falls and rises with the rank of the magnitude.</summary>
    [Parameter("epsilon, the probability runs from density - epsilon (smallest) to density + epsilon (largest)",
        Bounds = "[0, 0.5)")]
    [Searchable(0, 0.15)]
    public PerModel<double> Epsilon { get; init; } = 0.15;

    /// <summary>Whether a masked task vector gets back the L1 norm it had.</summary>
    [Parameter("Give a masked task vector back the L1 norm it had")]
    public bool Rescale { get; init; } = true;
}

/// <summary>The parameters of <c>della_linear</c>: those of <c>della</c>, a sum unless said otherwise.</summary>
public sealed record DellaLinearOptions() : DellaOptions(normalize: false);

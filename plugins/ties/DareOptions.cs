using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>How a task vector makes up for what was dropped of it.</summary>
public enum Rescaling
{
    /// <summary>Not at all.</summary>
    None,
    /// <summary>It gets back the L1 norm it had.</summary>
    L1,
    /// <summary>It is divided by the density, as in the paper: its expectation stays.</summary>
    InverseDensity,
    /// <summary>As mergekit writes <see cref="None"/>.</summary>
    False = None,
    /// <summary>As mergekit writes <see cref="L1"/>.</summary>
    True = L1,
}

/// <summary>The parameters of <c>dare_linear</c> and <c>dare_ties</c>, as mergekit has them.</summary>
public sealed record DareOptions() : TaskVectorOptions(normalize: false)
{
    /// <summary>Probability with which an element stays.</summary>
    [Parameter("Probability with which an element of the task vector stays; 1 keeps all", Bounds = "[0, inf)")]
    [Searchable(0.05, 1)]
    public PerModel<double> Density { get; init; } = 1;

    /// <summary>How a task vector makes up for what was dropped.</summary>
    [Parameter("Make up for what was dropped: give the L1 norm back (true), divide by the density (inverse_density)")]
    public Rescaling Rescale { get; init; } = Rescaling.L1;
}

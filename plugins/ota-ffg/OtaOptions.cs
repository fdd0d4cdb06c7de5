using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>What a preconditioner is divided by.</summary>
public enum Normalise
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>The tensor's mean + epsilon.</summary>
    Global,
}

/// <summary>How masked task vectors become one.</summary>
public enum Aggregation
{
    /// <summary>Weighted by the preconditioner.</summary>
    Precond,
    /// <summary>Their sum over the number of models.</summary>
    Linear,
    /// <summary>What agrees with the elected sign, over the number of models.</summary>
    Ties,
}

/// <summary>The parameters of <c>ota</c>, named as the authors' configurations name them.</summary>
public sealed record OtaOptions : GraftOptions
{
    /// <summary>Where v_i is.</summary>
    [Parameter("File of the model's second moments (Adam's exp_avg_sq), or org/name/path/file in the Hugging Face cache", Required = true)]
    [SideInput(SecondMoments.Side, Suffix = SecondMoments.Suffix)]
    public PerModel<string?> PreconditionerPath { get; init; }

    /// <summary>The exponent in P = v^power.</summary>
    [Parameter("Exponent of v in the preconditioner P = v^power", Bounds = "(0, inf)")]
    [Searchable(0.1, 1)]
    public double Power { get; init; } = 0.5;

    /// <summary>A factor on P_i.</summary>
    [Parameter("Factor on the model's preconditioner", Bounds = "(0, inf)")]
    [Searchable(0.1, 10, Scale = SearchScale.Logarithmic)]
    public PerModel<double> ScalingFactor { get; init; } = 1;

    /// <summary>What P_i is divided by.</summary>
    [Parameter("Divide each preconditioner by its mean over the tensor + epsilon (global), or not (none)")]
    public Normalise Normalise { get; init; }

    /// <summary>ε; the paper's configurations have 1e-24 to 1e-28.</summary>
    [Parameter("epsilon, added to the preconditioner", Bounds = "[1e-37, 1]")]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>What stands where every model is masked.</summary>
    [Parameter("Where every model is masked: the base (true), or the plain mean of the models")]
    public bool FallbackToBase { get; init; }

    /// <summary>How masked task vectors become one.</summary>
    [Parameter("Aggregation of the masked task vectors: precond, linear or ties; the latter two need a base")]
    public Aggregation MaskedTaskVectorMergeMethod { get; init; }

    /// <summary>What TIES trims to.</summary>
    [Parameter("ties only: share of each masked task vector that stays, the largest", Bounds = "(0, 1]")]
    public double? TiesDensity { get; init; }

    /// <summary>Whether masked task vectors get their norm back.</summary>
    [Parameter("Give each masked task vector back the operator norm it had; needs a base")]
    public bool Rescale { get; init; }

    /// <summary>Spectral norms by power iteration.</summary>
    [Parameter("rescale: spectral norms by ten power iterations, streamed, instead of a decomposition in memory")]
    public bool ApproximateNorm { get; init; }

    /// <summary>Below this share of its norm, a masked task vector is dropped, not blown up.</summary>
    [Parameter("rescale: a masked task vector with no more than this share of its norm becomes 0", Bounds = "[0, 1]")]
    public double RescaleRelativeThreshold { get; init; } = 1e-6;
}

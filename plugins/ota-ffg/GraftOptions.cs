using Merge.Sdk;

namespace Merge.Plugin.OtaFfg;

/// <summary>Over what a density counts.</summary>
public enum DensityScope
{
    /// <summary>That share of every tensor.</summary>
    Tensor,
    /// <summary>That share of the whole model: one threshold, tensors that matter more keep more.</summary>
    Model,
}

/// <summary>The parameters of what is kept of a task vector, named as the authors' configurations name them.</summary>
public abstract record GraftOptions
{
    /// <summary>Keep an edit from this saliency on.</summary>
    [Parameter("Keep an edit where v (theta_i - theta_0)^2 is at least this; without a base where v is", Bounds = "[0, 3e38]")]
    public PerModel<double?> PrecondThreshold { get; init; }

    /// <summary>Keep this share of the edits, the most salient; exactly, however many tie.</summary>
    [Parameter("Share of the edits to keep, the most salient, instead of a threshold", Bounds = "[0, 1]")]
    [Searchable(0.05, 1)]
    public PerModel<double?> Density { get; init; }

    /// <summary>Whether the density is of each tensor or of the model.</summary>
    [Parameter("Whether density counts each tensor or the whole model, where one threshold decides")]
    public DensityScope DensityScope { get; init; }

    /// <summary>v from its row and column sums alone.</summary>
    [Parameter("Approximate a 2-D v by its row and column sums: (row sums)(column sums)' / sum")]
    public PerModel<bool> Rank1Approx { get; init; }

    /// <summary>v from its largest singular triples alone.</summary>
    [Parameter("Approximate a 2-D v by this many singular triples, negatives to 0; not embeddings and output head", Bounds = "[1, inf)")]
    public PerModel<int?> Rank { get; init; }
}

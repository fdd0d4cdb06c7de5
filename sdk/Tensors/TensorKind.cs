namespace Merge.Sdk;

/// <summary>The part a tensor plays in its model, read off its name and shape.</summary>
public enum TensorKind
{
    /// <summary>Any weight that is none of the others: attention, MLP, convolution …</summary>
    Weight,
    /// <summary>Token (or position) embedding.</summary>
    Embedding,
    /// <summary>Output head: hidden state to vocabulary or classes.</summary>
    Head,
    /// <summary>Scale or shift of a normalisation layer.</summary>
    Norm,
    /// <summary>Additive bias of a layer.</summary>
    Bias,
}

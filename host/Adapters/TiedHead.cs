using Merge.Checkpoints;

namespace Merge.Adapters;

/// <summary>An output head that is the embedding.</summary>
/// <param name="Name">What adapters, and the model once it is untied, call its weight.</param>
/// <param name="Embedding">What stands for it.</param>
/// <param name="CanStandAlone">Whether a model whose embedding alone is changed gets a head of its own: its class reads one
/// of this name.</param>
internal sealed record TiedHead(string Name, TensorSource Embedding, bool CanStandAlone);

/// <summary>What adapters do to an embedding and the head that is tied to it.</summary>
internal enum TiedChange
{
    /// <summary>They go on as one, changed or not; or they are not tied.</summary>
    None,

    /// <summary>The head is changed by itself, whatever the embedding is.</summary>
    Head,

    /// <summary>The embedding is changed, and the head not as it is.</summary>
    Embedding,
}

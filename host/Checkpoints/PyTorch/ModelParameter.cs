using System.Collections.Immutable;
using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>What an optimizer may train of a model.</summary>
/// <param name="Name">Its name in the state dict.</param>
/// <param name="Shape">Sizes, outermost first.</param>
internal sealed record ModelParameter(string Name, ImmutableArray<long> Shape)
{
    /// <summary>Statistics of activations, kept among the weights and trained by no optimizer.</summary>
    private static readonly string[] Buffers = [".running_mean", ".running_var", ".num_batches_tracked", ".inv_freq"];

    /// <summary>
    /// The parameters among the tensors of a state dict, in its order, which is that of <c>model.parameters()</c>; tied
    /// weights are one parameter under several names, and have the first.
    /// </summary>
    public static IReadOnlyList<ModelParameter> Of(IEnumerable<TensorSource> tensors) =>
    [
        .. tensors
            .Where(t => t.DType.IsMergeable() && !Buffers.Any(b => ('.' + t.Name).EndsWith(b, StringComparison.Ordinal)))
            .DistinctBy(t => t is StoredTensor stored ? (stored.File, stored.Offset, stored.Length) : (object)t)
            .Select(t => new ModelParameter(t.Name, t.Shape)),
    ];
}

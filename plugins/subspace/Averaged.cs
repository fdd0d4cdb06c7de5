using Merge.Sdk;

namespace Merge.Plugin.Subspace;

/// <summary>What is done with tensors that are no matrices.</summary>
internal static class Averaged
{
    /// <summary>θ_0 + λ mean(Δ_i).</summary>
    public static TensorMerge Deltas(TensorScan tensor, double lambda) =>
        TensorMerge.CombineDeltas([.. Enumerable.Repeat(lambda / tensor.ModelCount, tensor.ModelCount)]);
}

using Merge.Sdk;

namespace Merge.Plugin.Uniform;

/// <summary>The parameters of <c>passthrough</c>, as mergekit has them.</summary>
public sealed record PassthroughOptions
{
    /// <summary>What the tensor is multiplied by; absent: nothing.</summary>
    [Parameter("Factor on the tensor; absent, it is copied bit for bit")]
    public PerModel<double?> Scale { get; init; }
}

/// <summary>
/// One model as it is, or times <c>scale</c>: what builds a model out of layers of others, tensor by tensor.
/// </summary>
public sealed class PassthroughMerge : MergeStrategy<PassthroughOptions>
{
    /// <inheritdoc/>
    public override StrategyInfo Info => new(
        "passthrough", "Passthrough", MaxModels: 1, Formula: "scale theta_1");

    /// <inheritdoc/>
    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, PassthroughOptions options) =>
        ValueTask.FromResult(TensorMerge.Combine([options.Scale[0] ?? 1]));
}

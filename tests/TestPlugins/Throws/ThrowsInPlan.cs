using Merge.Sdk;

namespace TestPlugins.Throws;

public sealed record Options;

/// <summary>Looks fine until it is used.</summary>
public sealed class ThrowsInPlan : MergeStrategy<Options>
{
    public override StrategyInfo Info => new("throws-in-plan", "Throws in Plan");

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) =>
        throw new InvalidOperationException("a fault of the plugin");
}

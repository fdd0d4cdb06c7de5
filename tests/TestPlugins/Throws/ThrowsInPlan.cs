using Merge.Sdk;

namespace TestPlugins.Throws;

public sealed record Options
{
    [Parameter("calm, below a half of which it throws", Bounds = "[0, 1]")]
    [Searchable(0, 1)]
    public double Calm { get; init; }
}

/// <summary>Looks fine until it is used.</summary>
public sealed class ThrowsInPlan : MergeStrategy<Options>
{
    public override StrategyInfo Info => new("throws-in-plan", "Throws in Plan");

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) =>
        options.Calm < 0.5 ? throw new InvalidOperationException("a fault of the plugin") : ValueTask.FromResult(TensorMerge.Copy(0));
}

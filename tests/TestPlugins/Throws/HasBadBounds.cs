using Merge.Sdk;

namespace TestPlugins.Throws;

public sealed record BadBounds
{
    [Parameter("whose bounds have a semicolon", Bounds = "[0; 10]")]
    public double Alpha { get; init; }
}

public sealed class HasBadBounds : MergeStrategy<BadBounds>
{
    public override StrategyInfo Info => new("bad-bounds", "Bad bounds");

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, BadBounds options) => new(TensorMerge.Copy(0));
}

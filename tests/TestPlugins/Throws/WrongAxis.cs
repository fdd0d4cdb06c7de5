using Merge.Sdk;

namespace TestPlugins.Throws;

/// <summary>Sums along what no tensor has: the SDK refuses it, in a call of the plugin's code.</summary>
public sealed class WrongAxis : MergeStrategy<Options>
{
    public override StrategyInfo Info => new("wrong-axis", "Wrong axis");

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) =>
        new(TensorMerge.From(x => x.Models[0].SumAlong(5)));
}

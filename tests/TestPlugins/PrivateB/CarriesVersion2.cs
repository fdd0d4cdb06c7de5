using Merge.Sdk;

namespace TestPlugins.PrivateB;

public sealed record Options;

public sealed class CarriesVersion2 : MergeStrategy<Options>
{
    public override StrategyInfo Info => new("private_b", "Carries version 2", Formula: Shared.Library.Release.Text);

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) => new(TensorMerge.Copy(0));
}

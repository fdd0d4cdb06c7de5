using Merge.Sdk;

namespace TestPlugins.PrivateA;

public sealed record Options;

public sealed class CarriesVersion1 : MergeStrategy<Options>
{
    public override StrategyInfo Info => new("private-a", "Carries version 1", Formula: Shared.Library.Release.Text);

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) => new(TensorMerge.Copy(0));
}

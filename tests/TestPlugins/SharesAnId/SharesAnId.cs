using Merge.Sdk;

namespace TestPlugins.SharesAnId;

public sealed record Options;

/// <summary>PrivateA has this id, too.</summary>
public sealed class Shared : MergeStrategy<Options>
{
    public override StrategyInfo Info => new("private_a", "Called as another plugin's");

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) => new(TensorMerge.Copy(0));
}

public sealed class OfItsOwn : MergeStrategy<Options>
{
    public override StrategyInfo Info => new("of-its-own", "Called as no other");

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) => new(TensorMerge.Copy(0));
}

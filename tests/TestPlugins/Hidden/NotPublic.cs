using Merge.Sdk;

namespace TestPlugins.Hidden;

public sealed record Options;

internal sealed class HiddenStrategy : MergeStrategy<Options>
{
    public override StrategyInfo Info => new("hidden", "Not public");

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) => new(TensorMerge.Copy(0));
}

internal sealed class HiddenSearcher : SearcherFactory<Options>
{
    public override SearcherInfo Info => new("hidden", "Not public");

    protected override ISearcher Start(SearchSpace space, Options options, SearchRandom random) => throw new NotSupportedException();
}

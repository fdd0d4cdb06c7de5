using Merge.Sdk;

namespace TestPlugins.MissingDependency;

public sealed record Options;

public sealed class NeedsALibrary : MergeStrategy<Options>
{
    public override StrategyInfo Info => new("missing", "Needs a library", Formula: Shared.Library.Release.Text);

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) => new(TensorMerge.Copy(0));
}

using Merge.Sdk;

namespace Host.Tests.Planning;

internal sealed record NoOptions;

/// <summary>A strategy that is one lambda.</summary>
internal sealed class OneLine(Func<TensorScan, ValueTask<TensorMerge>> plan) : MergeStrategy<NoOptions>
{
    public OneLine(Func<TensorScan, TensorMerge> plan)
        : this(tensor => ValueTask.FromResult(plan(tensor)))
    {
    }

    public override StrategyInfo Info => new("one-line", "One line", "a paper", Formula: "x");

    protected override ValueTask<TensorMerge> Plan(TensorScan tensor, NoOptions options) => plan(tensor);
}

using Merge.Sdk;

namespace TestPlugins.Throws;

public abstract class NeverPlans : MergeStrategy<Options>
{
    public override StrategyInfo Info => new("never-plans", "Never plans");

    protected sealed override ValueTask<TensorMerge> Plan(TensorScan tensor, Options options) =>
        new(TensorMerge.Copy(0));
}

public sealed class ThrowsInConstructor : NeverPlans
{
    public ThrowsInConstructor() => throw new InvalidOperationException("no constructor today");
}

public sealed class ThrowsInStaticConstructor : NeverPlans
{
    private static readonly string Text = Fail();

    public override StrategyInfo Info => new("static", Text);

    private static string Fail() => throw new InvalidOperationException("no static state today");
}

public sealed class ThrowsInInfo : NeverPlans
{
    public override StrategyInfo Info => throw new InvalidOperationException("no info today");
}

public sealed class HasNoInfo : NeverPlans
{
    public override StrategyInfo Info => null!;
}

public sealed class HasABadId : NeverPlans
{
    public override StrategyInfo Info => new("Bad Id", "Bad id");
}

public sealed class TakesAtLeastThreeAtMostTwo : NeverPlans
{
    public override StrategyInfo Info => new("three-to-two", "Three to two", MinModels: 3, MaxModels: 2);
}

public sealed class AsksForWhatTheHostHasNot(IFormatProvider format) : NeverPlans
{
    public override StrategyInfo Info => new("asks", format.ToString()!);
}

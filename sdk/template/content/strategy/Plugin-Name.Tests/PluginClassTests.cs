using Merge.Testing;

namespace Plugin_Name.Tests;

public sealed class PluginClassTests
{
    // Base 1 2, models 2 2 and 4 0: task vectors 1 0 and 3 -2, their mean 2 -1.
    [Fact]
    public void An_example_worked_by_hand_holds() => Assert.Equal(
        [3f, 1f],
        StrategyRun.Merge(
            new PluginClassMerge(), new PluginClassOptions(), TestTensor.Of(1, 2), TestTensor.Of(2, 2), TestTensor.Of(4, 0)));

    [Fact]
    public void It_conforms() => StrategyConformance.Check(new PluginClassMerge(), new() { Symmetric = true });
}

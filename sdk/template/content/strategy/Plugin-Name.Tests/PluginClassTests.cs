using Merge.Testing;
using Xunit.Abstractions;

namespace PluginNamespace.Tests;

public sealed class PluginClassTests(ITestOutputHelper output)
{
    // Base 1 2, models 2 2 and 4 0: task vectors 1 0 and 3 -2, their mean 2 -1.
    [Fact]
    public void An_example_worked_by_hand_holds() => Assert.Equal(
        [3f, 1f],
        StrategyRun.Merge(
            new PluginClassMerge(), new PluginClassOptions(), TestTensor.Of(1, 2), TestTensor.Of(2, 2), TestTensor.Of(4, 0)));

    // The report says which rules hold, and what device the processor was compared with, if any.
    [Fact]
    public void It_conforms() => output.WriteLine(
        $"{StrategyConformance.Check(new PluginClassMerge(), new() { Symmetric = true })}");
}

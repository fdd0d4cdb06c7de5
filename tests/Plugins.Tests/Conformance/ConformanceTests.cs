using Merge.Testing;

namespace Plugins.Tests.Conformance;

/// <summary>Every strategy of every plugin here, held to what plugins of others are held to.</summary>
public sealed class ConformanceTests
{
    public static TheoryData<string> Methods => [.. PluginStrategies.Ids];

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_method_conforms(string method) =>
        StrategyConformance.Check(PluginStrategies.Of(method), ConformanceSetups.Of(method));

    [Fact]
    public void All_methods_of_all_plugins_are_among_them() =>
        Assert.Equal(35, PluginStrategies.Ids.Count);

    [Fact]
    public void The_kit_knows_their_ids() => Assert.Equal(PluginStrategies.Ids, TakenIds.All.Order(StringComparer.Ordinal));
}

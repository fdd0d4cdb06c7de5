using Merge.Sdk;
using Merge.Testing;

namespace PluginNamespace.Tests;

public sealed class PluginClassTests
{
    [Fact]
    public void It_conforms() => SearcherConformance.Check(new PluginClassSearcher(), new PluginClassOptions());

    [Fact]
    public void It_finds_the_top_of_a_hill()
    {
        var space = new SearchSpace([new("weight[0]", "weight", -1, 1), new("weight[1]", "weight", -1, 1)], 2);
        var trials = SearcherConformance.Run(
            new PluginClassSearcher(), new PluginClassOptions(), space, p => -Math.Abs(p[0] - 0.3) - Math.Abs(p[1] + 0.6));
        Assert.True(trials.Max(t => t.Score) > -0.05);
    }
}

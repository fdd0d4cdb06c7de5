using System.Reflection;
using Merge.Sdk;
using Merge.Testing;

namespace Plugins.Tests.Conformance;

/// <summary>Every strategy of every plugin here, held to what plugins of others are held to.</summary>
public sealed class ConformanceTests
{
    private static readonly Dictionary<string, MergeStrategy> _strategies =
        Directory.GetFiles(AppContext.BaseDirectory, "Merge.Plugin.*.dll")
            .SelectMany(path => Assembly.LoadFrom(path).GetExportedTypes())
            .Where(t => !t.IsAbstract && t.IsSubclassOf(typeof(MergeStrategy)))
            .Select(t => (MergeStrategy)Activator.CreateInstance(t)!)
            .ToDictionary(s => s.Info.Id);

    public static TheoryData<string> Methods => [.. _strategies.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_method_conforms(string method) =>
        StrategyConformance.Check(_strategies[method], ConformanceSetups.Of(method));

    [Fact]
    public void All_methods_of_all_plugins_are_among_them() =>
        Assert.Equal(35, _strategies.Count);
}

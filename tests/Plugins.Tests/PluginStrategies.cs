using System.Reflection;
using Merge.Sdk;

namespace Plugins.Tests;

/// <summary>Every strategy of every plugin beside the tests, found as the host finds them.</summary>
internal static class PluginStrategies
{
    private static readonly Dictionary<string, MergeStrategy> _all =
        Directory.GetFiles(AppContext.BaseDirectory, "Merge.Plugin.*.dll")
            .SelectMany(path => Assembly.LoadFrom(path).GetExportedTypes())
            .Where(t => !t.IsAbstract && t.IsSubclassOf(typeof(MergeStrategy)))
            .Select(t => (MergeStrategy)Activator.CreateInstance(t)!)
            .ToDictionary(s => s.Info.Id);

    public static IReadOnlyList<string> Ids { get; } = [.. _all.Keys.Order(StringComparer.Ordinal)];

    public static MergeStrategy Of(string id) => _all[id];
}

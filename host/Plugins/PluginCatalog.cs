using Merge.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Merge.Plugins;

/// <summary>
/// Every plugin found, loaded or not, and every method that can be used. Disposing it unloads the plugins' code once
/// nothing refers to it any more.
/// </summary>
internal sealed class PluginCatalog : IDisposable
{
    private readonly List<PluginLoadContext> _contexts = [];
    private readonly SortedDictionary<string, StrategyEntry> _methods = new(StringComparer.Ordinal);

    private PluginCatalog(IReadOnlyList<Diagnostic> warnings) => Warnings = warnings;

    /// <summary>In the order they were looked for: the host's own first.</summary>
    public IReadOnlyList<PluginStatus> Plugins { get; private set; } = [];

    /// <summary>Places named for plugins that hold none.</summary>
    public IReadOnlyList<Diagnostic> Warnings { get; }

    /// <summary>Every method that can be used, ordered by id.</summary>
    public IEnumerable<StrategyEntry> Methods => _methods.Values;

    /// <summary>Loads every plugin. What fails is in <see cref="Plugins"/>; nothing is thrown.</summary>
    /// <param name="folders">Where an id is taken twice, the plugin that comes first keeps it.</param>
    /// <param name="services">What constructors may ask for; nothing, unless given.</param>
    public static PluginCatalog Load(PluginFolders folders, IServiceProvider? services = null)
    {
        var catalog = new PluginCatalog(folders.Warnings);
        using var nothing = services is null ? new ServiceCollection().BuildServiceProvider() : null;
        catalog.Plugins = [.. folders.Folders.Select(f => catalog.Add(PluginLoader.Load(f, services ?? nothing!)))];
        return catalog;
    }

    /// <summary>The method of this name; <c>-</c> and <c>_</c> are the same.</summary>
    /// <exception cref="MergeException">None: says the nearest, all there are, and plugins that failed.</exception>
    public StrategyEntry Find(string method)
    {
        if (_methods.TryGetValue(Key(method), out var entry))
            return entry;
        var nearest = NearestMatch.Of(method, Methods.Select(m => m.Id));
        var failed = Plugins.Where(p => p.State != PluginState.Loaded).Select(p => $"{p.Name} ({p.State})").ToArray();
        var fixes = new[]
        {
            nearest is null ? null : $"Did you mean '{nearest}'?",
            failed.Length == 0
                ? null
                : $"It may be in a plugin that failed: {string.Join(", ", failed)}; `merge plugins` says why.",
        };
        throw new MergeException(new Diagnostic($"there is no merge method '{method}'")
        {
            Expected = _methods.Count == 0
                ? "a method of an installed plugin, but none is loaded"
                : $"one of {string.Join(", ", Methods.Select(m => m.Id))}",
            Fix = fixes.Any(f => f is not null) ? string.Join(" ", fixes.Where(f => f is not null)) : null,
        })
        { WrongUsage = true };
    }

    public void Dispose()
    {
        _methods.Clear();
        foreach (var context in _contexts)
            context.Unload();
        _contexts.Clear();
    }

    private PluginStatus Add(LoadedPlugin plugin)
    {
        if (plugin.Context is not null)
            _contexts.Add(plugin.Context);
        var taken = plugin.Strategies
            .GroupBy(s => Key(s.Info.Id))
            .SelectMany(same => _methods.TryGetValue(same.Key, out var owner)
                ? same.Select(s => (s.Info, Owner: $"plugin '{owner.Plugin.Name}' ({owner.Plugin.Folder})"))
                : same.Skip(1).Select(s => (s.Info, Owner: $"another class of plugin '{plugin.Status.Name}'")))
            .Select(s => new Diagnostic($"its method '{s.Info.Id}' already comes from {s.Owner}, which keeps it")
            {
                Where = plugin.Status.Folder,
                Fix = "Remove one of the two, or ask its author to rename the method.",
            })
            .ToArray();
        var own = plugin.Strategies
            .DistinctBy(s => Key(s.Info.Id))
            .Where(s => !_methods.ContainsKey(Key(s.Info.Id)))
            .ToArray();
        var status = plugin.Status with
        {
            Methods = [.. own.Select(s => s.Info.Id)],
            State = taken.Length > 0 ? PluginState.Malfunctioned : plugin.Status.State,
            Problems = [.. plugin.Status.Problems, .. taken],
        };
        foreach (var (info, strategy) in own)
            _methods.Add(Key(info.Id), new StrategyEntry(info, strategy, status));
        return status;
    }

    private static string Key(string method) => method.Replace('-', '_');
}

using Merge.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Merge.Plugins;

/// <summary>
/// Every plugin found, loaded or not, and every method, searcher and evaluator that can be used. Disposing it unloads the plugins' code once
/// nothing refers to it any more.
/// </summary>
internal sealed class PluginCatalog : IDisposable
{
    private readonly List<PluginLoadContext> _contexts = [];
    // By kind and by id; - and _ are the same.
    private readonly SortedDictionary<string, (PluginPart Part, PluginStatus Plugin)> _parts = new(StringComparer.Ordinal);

    private PluginCatalog(IReadOnlyList<Diagnostic> warnings) => Warnings = warnings;

    /// <summary>In the order they were looked for: the host's own first.</summary>
    public IReadOnlyList<PluginStatus> Plugins { get; private set; } = [];

    /// <summary>Places named for plugins that hold none.</summary>
    public IReadOnlyList<Diagnostic> Warnings { get; }

    /// <summary>Every method that can be used, ordered by id.</summary>
    public IEnumerable<StrategyEntry> Methods =>
        Parts<StrategyPart>().Select(p => new StrategyEntry(p.Part.Info, p.Part.Strategy, p.Plugin));

    /// <summary>Every searcher that can be used, ordered by id.</summary>
    public IEnumerable<SearcherEntry> Searchers =>
        Parts<SearcherPart>().Select(p => new SearcherEntry(p.Part.Info, p.Part.Searcher, p.Plugin));

    /// <summary>Every evaluator of a plugin that can be used, ordered by id.</summary>
    public IEnumerable<EvaluatorEntry> Evaluators =>
        Parts<EvaluatorPart>().Select(p => new EvaluatorEntry(p.Part.Info, p.Part.Evaluator, p.Plugin));

    /// <summary>Loads every plugin. What fails is in <see cref="Plugins"/>; nothing is thrown.</summary>
    /// <param name="folders">Where an id is taken twice, the plugin that comes first keeps it.</param>
    /// <param name="services">What constructors may ask for; nothing, unless given.</param>
    /// <param name="only">Where given: beside the host's own, no code of any other plugin is run.</param>
    public static PluginCatalog Load(
        PluginFolders folders, IServiceProvider? services = null, TrustedPlugins? only = null)
    {
        var catalog = new PluginCatalog(folders.Warnings);
        using var nothing = services is null ? new ServiceCollection().BuildServiceProvider() : null;
        catalog.Plugins = [.. folders.Folders.Select(f => catalog.Add(
            only is not null && !PluginFolders.IsOwn(f) && only.Refusal(f) is { } refusal
                ? new LoadedPlugin(refusal, [], null)
                : PluginLoader.Load(f, services ?? nothing!)))];
        return catalog;
    }

    /// <summary>The method of this name; <c>-</c> and <c>_</c> are the same.</summary>
    /// <exception cref="MergeException">None: says the nearest, all there are, and plugins that failed.</exception>
    public StrategyEntry Find(string method) => Find(Methods, m => m.Id, method, "merge method", "method");

    /// <summary>The searcher of this name; <c>-</c> and <c>_</c> are the same.</summary>
    /// <exception cref="MergeException">There is none.</exception>
    public SearcherEntry FindSearcher(string searcher) => Find(Searchers, s => s.Id, searcher, "searcher", "searcher");

    /// <summary>The evaluator of this name; <c>-</c> and <c>_</c> are the same.</summary>
    /// <exception cref="MergeException">There is none.</exception>
    public EvaluatorEntry FindEvaluator(string evaluator) =>
        Find(Evaluators, e => e.Id, evaluator, "evaluator plugin", "evaluator");

    private T Find<T>(IEnumerable<T> entries, Func<T, string> id, string name, string what, string kind)
        where T : class
    {
        T[] all = [.. entries];
        if (all.FirstOrDefault(e => Key(id(e)) == Key(name)) is { } found)
            return found;
        var nearest = NearestMatch.Of(name, all.Select(id));
        var failed = Plugins.Where(p => p.State != PluginState.Loaded).Select(p => $"{p.Name} ({p.State})").ToArray();
        string?[] fixes =
        [
            nearest is null ? null : $"Did you mean '{nearest}'?",
            failed.Length == 0
                ? null
                : $"It may be in a plugin that failed: {string.Join(", ", failed)}; `merge plugins` says why.",
        ];
        throw new MergeException(new Diagnostic($"there is no {what} '{name}'")
        {
            Expected = all.Length == 0
                ? $"{(kind[0] is 'e' ? "an" : "a")} {kind} of an installed plugin, but none is loaded"
                : all.Length == 1 ? id(all[0]) : $"one of {string.Join(", ", all.Select(id))}",
            Fix = fixes.Any(f => f is not null) ? string.Join(" ", fixes.Where(f => f is not null)) : null,
        })
        { WrongUsage = true };
    }

    public void Dispose()
    {
        _parts.Clear();
        foreach (var context in _contexts)
            context.Unload();
        _contexts.Clear();
    }

    private PluginStatus Add(LoadedPlugin plugin)
    {
        if (plugin.Context is not null)
            _contexts.Add(plugin.Context);
        var taken = plugin.Parts
            .GroupBy(Key)
            .SelectMany(same => _parts.TryGetValue(same.Key, out var owner)
                ? same.Select(p => (Part: p, Owner: $"plugin '{owner.Plugin.Name}' ({owner.Plugin.Folder})"))
                : same.Skip(1).Select(p => (Part: p, Owner: $"another class of plugin '{plugin.Status.Name}'")))
            .Select(t => new Diagnostic($"its {t.Part.Kind} '{t.Part.Id}' already comes from {t.Owner}, which keeps it")
            {
                Where = plugin.Status.Folder,
                Fix = $"Remove one of the two, or ask its author to rename the {t.Part.Kind}.",
            })
            .ToArray();
        PluginPart[] own = [.. plugin.Parts.DistinctBy(Key).Where(p => !_parts.ContainsKey(Key(p)))];
        var status = plugin.Status with
        {
            Methods = [.. own.OfType<StrategyPart>().Select(p => p.Id)],
            Searchers = [.. own.OfType<SearcherPart>().Select(p => p.Id)],
            Evaluators = [.. own.OfType<EvaluatorPart>().Select(p => p.Id)],
            State = taken.Length > 0 ? PluginState.Malfunctioned : plugin.Status.State,
            Problems = [.. plugin.Status.Problems, .. taken],
        };
        foreach (var part in own)
            _parts.Add(Key(part), (part, status));
        return status;
    }

    private IEnumerable<(T Part, PluginStatus Plugin)> Parts<T>()
        where T : PluginPart =>
        _parts.Values.Where(p => p.Part is T).Select(p => ((T)p.Part, p.Plugin))
            .OrderBy(p => p.Item1.Id, StringComparer.Ordinal);

    private static string Key(PluginPart part) => $"{part.Kind} {Key(part.Id)}";

    private static string Key(string id) => id.Replace('-', '_');
}

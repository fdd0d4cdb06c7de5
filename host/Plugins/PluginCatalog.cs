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

    private PluginCatalog()
    {
    }

    /// <summary>In the order they were looked for: the host's own first.</summary>
    public IReadOnlyList<PluginStatus> Plugins { get; private set; } = [];

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
    /// <param name="optionFaults">
    /// What cannot work in an options record. Asked of others' plugins: the host's own are tested, and every start would pay for it.
    /// </param>
    public static PluginCatalog Load(
        PluginFolders folders, IServiceProvider? services = null, TrustedPlugins? only = null,
        Func<Type, IReadOnlyList<Diagnostic>>? optionFaults = null)
    {
        var catalog = new PluginCatalog();
        using var nothing = services is null ? new ServiceCollection().BuildServiceProvider() : null;
        catalog.Plugins = [.. folders.Folders.Select(f => catalog.Add(
            only is not null && !PluginFolders.IsOwn(f) && only.Refusal(f) is { } refusal
                ? new LoadedPlugin(refusal, [], null)
                : PluginLoader.Load(f, services ?? nothing!, PluginFolders.IsOwn(f) ? null : optionFaults)))];
        return catalog;
    }

    /// <summary>The method of this name; <c>-</c> and <c>_</c> are the same.</summary>
    /// <exception cref="MergeException">None: says the nearest, all there are, and plugins that failed or were refused.</exception>
    public StrategyEntry Find(string method) => Find(Methods, m => m.Id, method, "merge method", "method");

    /// <summary>The searcher of this name; <c>-</c> and <c>_</c> are the same.</summary>
    /// <exception cref="MergeException">There is none.</exception>
    public SearcherEntry FindSearcher(string searcher) => Find(Searchers, s => s.Id, searcher, "searcher", "searcher");

    /// <summary>The evaluator of this name; <c>-</c> and <c>_</c> are the same.</summary>
    /// <exception cref="MergeException">There is none.</exception>
    public EvaluatorEntry FindEvaluator(string evaluator) =>
        Find(Evaluators, e => e.Id, evaluator, "evaluator plugin", "evaluator");

    /// <summary>That there is no method, searcher or evaluator of this name.</summary>
    public MergeException Missing(string name) => new(MissingPart.Explain(
        "method, searcher or evaluator", ["method", "searcher", "evaluator"], name,
        [.. _parts.Values.Select(p => p.Part.Id).Distinct().Order(StringComparer.Ordinal)], Plugins))
    { WrongUsage = true };

    private T Find<T>(IEnumerable<T> entries, Func<T, string> id, string name, string what, string kind)
        where T : class
    {
        T[] all = [.. entries];
        if (all.FirstOrDefault(e => Key(id(e)) == Key(name)) is { } found)
            return found;
        throw new MergeException(MissingPart.Explain(what, [kind], name, [.. all.Select(id)], Plugins)) { WrongUsage = true };
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
        PluginPart[] own = [.. plugin.Parts.DistinctBy(Key).Where(p => !_parts.ContainsKey(Key(p)))];
        if (own.Length == 0 && plugin.Parts.Count > 0 && plugin.Status.State == PluginState.Loaded)
            return Shadowed(plugin);
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

    /// <summary>
    /// Nothing of it is left to use. Of a plugin's latest build before the installed one that is as it should be; another plugin's ids
    /// are for somebody to sort out.
    /// </summary>
    private PluginStatus Shadowed(LoadedPlugin plugin)
    {
        var problems = plugin.Parts.DistinctBy(Key).GroupBy(p => _parts[Key(p)].Plugin).Select(taken =>
        {
            var ids = string.Join(", ", taken.Select(p => $"{p.Kind} '{p.Id}'"));
            return new Diagnostic($"its {ids} {(taken.Count() == 1 ? "comes" : "come")} from '{taken.Key.Name}' ({taken.Key.Folder}) instead")
            {
                Severity = Severity.Warning,
                Where = plugin.Status.Folder,
                Fix = taken.Key.Name == plugin.Status.Name ? null : "Remove one of the two, or ask its author to rename what it offers.",
            };
        });
        return plugin.Status with { State = PluginState.Shadowed, Problems = [.. problems] };
    }

    private IEnumerable<(T Part, PluginStatus Plugin)> Parts<T>()
        where T : PluginPart =>
        _parts.Values.Where(p => p.Part is T).Select(p => ((T)p.Part, p.Plugin))
            .OrderBy(p => p.Item1.Id, StringComparer.Ordinal);

    private static string Key(PluginPart part) => $"{part.Kind} {Key(part.Id)}";

    private static string Key(string id) => id.Replace('-', '_');
}

using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>The checkpoints and adapters a recipe names, each opened once; they stay open until this is disposed.</summary>
internal sealed class OpenedModels : IDisposable
{
    private readonly Dictionary<string, Checkpoint> _files = [];
    private readonly Dictionary<string, Adapter> _adapters = [];
    private readonly Dictionary<string, Checkpoint> _models = [];

    /// <summary>What is worth knowing of the adapters.</summary>
    public List<Diagnostic> Warnings { get; } = [];

    /// <summary>A model that was opened, its adapters in it.</summary>
    public Checkpoint this[ResolvedModel model] => _models[model.Key];

    /// <summary>A side file that was opened.</summary>
    public Checkpoint this[string path] => _files[path];

    /// <summary>Opens a model with the adapters in it.</summary>
    /// <exception cref="MergeException">What is wrong with its headers, or why the adapters do not fit it.</exception>
    public void Open(ResolvedModel model)
    {
        if (_models.ContainsKey(model.Key))
            return;
        if (Adapter.IsAt(model.Path))
            throw Alone(model);
        var checkpoint = OpenFile(model.Path);
        if (checkpoint.Tensors.Keys.Any(AdapterNames.IsOfAdapter))
            throw Alone(model);
        _models[model.Key] = model.Adapters.Count == 0 ? checkpoint : AdaptedCheckpoint.Of(
            model, checkpoint, [.. model.Adapters.Select(a => new WeightedAdapter(OpenAdapter(a.Path), a.Weight))], Warnings);
    }

    /// <summary>Opens a folder or file that is no model of the recipe.</summary>
    public Checkpoint OpenFile(string path)
    {
        if (!_files.TryGetValue(path, out var checkpoint))
            _files[path] = checkpoint = Checkpoint.Open(path);
        return checkpoint;
    }

    /// <summary>Opens adapters that are merged with each other.</summary>
    public AdapterViews OpenAdapters(IReadOnlyList<ResolvedModel> models)
    {
        var problems = new List<Diagnostic>();
        var adapters = new List<Adapter>();
        foreach (var model in models)
        {
            try
            {
                adapters.Add(OpenAdapter(model.Path));
            }
            catch (MergeException refused)
            {
                problems.AddRange(refused.Diagnostics);
            }
        }
        if (problems.Count > 0)
            throw new MergeException([.. problems.Distinct()]);
        var views = AdapterViews.Of(adapters);
        string[] bases = [.. adapters.Select(a => a.Config?.BaseModel).OfType<string>().Distinct()];
        if (bases.Length > 1)
        {
            Warnings.Add(new Diagnostic($"the adapters were trained on different models: {string.Join(", ", bases)}")
            {
                Severity = Severity.Warning,
                Where = string.Join(", ", adapters.Select(a => a.Path)),
                Expected = "adapters of one base: a change belongs to the weights it was learnt on",
                Fix = "All is well where these are names of one model; the merged config names none, unless 'base_model' does.",
            });
        }
        Warnings.AddRange(views.Warnings);
        Warnings.AddRange(Unplaced(adapters));
        foreach (var (model, view) in models.Zip(views.Models))
            _models[model.Key] = view;
        return views;
    }

    /// <summary>Parameters that no name in PEFT's modules_to_save brings, unless it took factors away.</summary>
    private static IEnumerable<Diagnostic> Unplaced(List<Adapter> adapters)
    {
        var holders = adapters.SelectMany(a => a.Modules.Keys).SelectMany(m => MergedConfig.Holders(m).Skip(1)).ToHashSet(StringComparer.Ordinal);
        foreach (var adapter in adapters)
        {
            string[] unplaced = [.. adapter.Saved.Keys.Where(p => !p.EndsWith("bias", StringComparison.Ordinal)
                && (!p.Contains('.') || holders.Contains(SavedModules.Owner(p))))];
            if (unplaced.Length == 0)
                continue;
            yield return new Diagnostic($"'{unplaced[0]}'{(unplaced.Length == 1 ? " is" : $" and {unplaced.Length - 1} more are")} brought whole, and of no "
                + "module that PEFT's modules_to_save could name without taking factors away: PEFT would leave it out")
            {
                Severity = Severity.Warning,
                Where = adapter.Path,
                Expected = "whole parameters of modules that hold none with factors",
                Fix = "Here it is merged and written under its name, which the merged config does not list. To have it in a model write 'base+adapter'.",
            };
        }
    }

    public Adapter OpenAdapter(string path)
    {
        if (_adapters.TryGetValue(path, out var known))
            return known;
        var adapter = _adapters[path] = Adapter.Open(path);
        Warnings.AddRange(adapter.Warnings);
        return adapter;
    }

    /// <summary>Takes a checkpoint that nobody opened for a model.</summary>
    public void Set(ResolvedModel model, Checkpoint checkpoint) => _models[model.Key] = checkpoint;

    public void Dispose()
    {
        foreach (var adapter in _adapters.Values)
            adapter.Dispose();
        foreach (var checkpoint in _files.Values)
            checkpoint.Dispose();
    }

    private static MergeException Alone(ResolvedModel model)
    {
        try
        {
            Adapter.Open(model.Path).Dispose();
        }
        catch (MergeException refused)
        {
            return refused;
        }
        return new(new Diagnostic("this is an adapter, and it stands where a model should")
        {
            Where = model.Path,
            Expected = "a model, or adapters only",
            Fix = $"Write 'base+{model.Model.Model.Text}' with the model it belongs to, or give only adapters to make an adapter.",
        });
    }
}

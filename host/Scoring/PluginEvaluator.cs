using Merge.Plugins;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>An evaluator of a plugin, in this process.</summary>
internal sealed class PluginEvaluator : ITrialRunner
{
    private readonly EvaluatorEntry _entry;
    private readonly IEvaluator _evaluator;

    /// <exception cref="MergeException">There is no such plugin, an option is wrong, or its data is not there.</exception>
    public PluginEvaluator(EvaluateRecipe recipe, PluginCatalog catalog, string recipePath)
    {
        _entry = catalog.FindEvaluator(recipe.Plugin!);
        var options = PartOptions.Bind($"the evaluator '{_entry.Id}'", _entry.Evaluator.OptionsType, recipe.Options, recipePath, recipe.Line);
        Identity = string.Join('\0', [_entry.Id, _entry.Plugin.Digest,
            .. options.Parameters.Select(p => $"{p.Schema.Name}={Text(p.Values[0].Value)}")]);
        try
        {
            _evaluator = _entry.Evaluator.OpenWith(options.Options);
        }
        catch (Exception fault) when (fault is not MergeException)
        {
            throw Thrown(fault);
        }
    }

    public string Identity { get; }

    public async Task<Evaluation> Run(
        StoredCandidate candidate, string split, int worker, TrialLog log, CancellationToken cancellation)
    {
        try
        {
            return await _evaluator.Evaluate(candidate, split, cancellation).ConfigureAwait(false)
                ?? throw MergeException.Plugin($"the evaluator '{_entry.Id}' returned nothing");
        }
        catch (MergeException fault) when (fault.WrongUsage)
        {
            // A trial's failure is never the whole search's here: the contract says so.
            throw new MergeException(fault.Diagnostics, fault);
        }
        catch (Exception fault) when (fault is not (MergeException or OperationCanceledException))
        {
            throw Thrown(fault);
        }
    }

    public void Dispose() => _evaluator.Dispose();

    private static string Text(object? value) =>
        value is Array list ? string.Join(',', list.Cast<object?>()) : $"{value}";

    private MergeException Thrown(Exception fault) => new(new Diagnostic(
        $"the evaluator '{_entry.Id}' threw {fault.GetType().Name}: {fault.Message}")
    {
        Actor = Actor.PluginAuthor,
        Where = _entry.Plugin.Folder,
    }, fault);
}

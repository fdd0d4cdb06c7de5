using System.Text.Json.Nodes;
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
        _models[model.Key] = model.Adapters.Count == 0 ? checkpoint : Adapted(model, checkpoint);
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
        foreach (var (model, view) in models.Zip(views.Models))
            _models[model.Key] = view;
        return views;
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

    private Checkpoint Adapted(ResolvedModel model, Checkpoint checkpoint)
    {
        WeightedAdapter[] adapters = [.. model.Adapters.Select(a => new WeightedAdapter(OpenAdapter(a.Path), a.Weight))];
        var isTied = new PlannedModel(model.Model.Model.Text, checkpoint).TiesHead;
        var embedding = isTied ? TokenEmbedding.Of(checkpoint) : null;
        var head = checkpoint.Tensors.ContainsKey(AdaptedModel.HeadName) ? null : embedding;
        var tensors = AdaptedModel.Tensors(checkpoint, adapters, head, out var added);
        var config = checkpoint.Config;
        // A head of its own: new, or stored beside the embedding it was tied to.
        if (added.Count > 0 || (isTied && tensors.ContainsKey(AdaptedModel.HeadName)))
            config = Untied(config!);
        else if (embedding is not null && tensors.ContainsKey(embedding.Name))
        {
            // Beside the base PEFT changes what the embedding gives, and the head goes on with the base's weights.
            var hasHead = TiedHeads.IsCausal(config!);
            if (hasHead)
            {
                config = Untied(config!);
                tensors = tensors.Append(new(AdaptedModel.HeadName, new RenamedTensor(AdaptedModel.HeadName, embedding)))
                    .ToDictionary(t => t.Key, t => t.Value, StringComparer.Ordinal);
            }
            Warnings.Add(new Diagnostic(hasHead
                ? "the adapter changes the embedding and not the output head, which is tied to it: the result has a head of its own"
                : "the adapter changes the embedding, and with it whatever the model ties to it")
            {
                Severity = Severity.Warning,
                Where = model.Model.Model.Text,
                Fix = hasHead ? "This is what the adapter does in PEFT beside its base; its config.json says \"tie_word_embeddings\": false."
                    : "In PEFT, beside its base, the adapter changes the embedding only; a model of this kind is not untied here.",
            });
        }
        return checkpoint.With(tensors, adapters.SelectMany(a => a.Adapter.Checkpoint.Files), config, model.Key);
    }

    // The adapter gives the head weights of its own.
    private static JsonObject Untied(JsonObject config)
    {
        var changed = config.DeepClone().AsObject();
        changed["tie_word_embeddings"] = false;
        if (changed["text_config"] is JsonObject text && text.ContainsKey("tie_word_embeddings"))
            text["tie_word_embeddings"] = false;
        return changed;
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

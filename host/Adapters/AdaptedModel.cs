using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Adapters;

/// <summary>One adapter in a model.</summary>
/// <param name="Adapter">Open.</param>
/// <param name="Weight">What its change is multiplied with; any finite number.</param>
internal readonly record struct WeightedAdapter(Adapter Adapter, double Weight);

/// <summary>A model's tensors with adapters in them: nothing is written, they are put together while they are read.</summary>
internal static class AdaptedModel
{
    /// <summary>The tensors that change, by their name in the model: a head that is tied no more is among them.</summary>
    /// <param name="model">The base.</param>
    /// <param name="adapters">In any number.</param>
    /// <param name="tied">The embedding that stands for the model's output head; null where the head is not tied.</param>
    /// <param name="change">What the adapters do to the two.</param>
    /// <exception cref="MergeException">Every module that has no place in the model.</exception>
    public static IReadOnlyDictionary<string, TensorSource> Tensors(
        Checkpoint model, IReadOnlyList<WeightedAdapter> adapters, TiedHead? tied, out TiedChange change)
    {
        var targets = new AdapterTargets(tied is null ? model.Tensors.Keys : model.Tensors.Keys.Append(tied.Name).Distinct());
        var problems = new List<Diagnostic>();
        var changes = new Dictionary<string, Change>(StringComparer.Ordinal);
        // What the head gets of the embedding's changes.
        var shared = tied is null ? null! : new Change(tied.Embedding);
        foreach (var (adapter, weight) in adapters)
        {
            var mayBeFlat = adapter.Config is null;
            var taken = new Dictionary<Change, string>();
            foreach (var module in adapter.Modules.Values)
            {
                if (Find(adapter, module.Weight, mayBeFlat) is not { } changed)
                    continue;
                if (!taken.TryAdd(changed, module.Name))
                {
                    problems.Add(new Diagnostic(
                        $"'{module.Name}' and '{taken[changed]}' of one adapter both stand for '{changed.Stored.Name}' of the model")
                    {
                        Where = adapter.Path,
                        Expected = "a model in which each has its own place",
                        Fix = "Give the model the adapter was trained on.",
                    });
                }
                else if (HasShape(adapter, module.For(changed.Stored.Shape), changed.Stored))
                {
                    changed.Modules.Add((module.For(changed.Stored.Shape), weight));
                    if (IsEmbedding(changed) && adapter.Config?.TiesWeights == true)
                        shared.Modules.Add(changed.Modules[^1]);
                }
            }
            foreach (var (parameter, saved) in adapter.Saved)
            {
                if (Find(adapter, parameter, mayBeFlat) is not { } changed || !IsAlike(adapter, saved, changed.Stored))
                    continue;
                changed.Saved.Add((saved, weight));
                // What PEFT wraps is the tied parameter itself.
                if (IsEmbedding(changed) && (adapter.Config?.TiesWeights == true || AdapterNames.IsWrapped(saved.Name)))
                    shared.Saved.Add((saved, weight));
            }
        }
        if (problems.Count > 0)
            throw new MergeException(problems);
        var recent = new RecentFactors();
        var tensors = changes.ToDictionary(
            c => c.Key,
            c => (TensorSource)AdaptedTensor.Of(c.Key, c.Value.Stored, c.Value.Modules, c.Value.Saved, recent),
            StringComparer.Ordinal);
        change = tied is null ? TiedChange.None : changes.ContainsKey(tied.Name) ? TiedChange.Head
            : changes.GetValueOrDefault(tied.Embedding.Name) is not { } embedding || embedding.Count == shared.Count ? TiedChange.None
            : TiedChange.Embedding;
        if (change == TiedChange.Embedding && tied!.CanStandAlone)
        {
            tensors[tied.Name] = shared.Count == 0 ? new RenamedTensor(tied.Name, tied.Embedding)
                : AdaptedTensor.Of(tied.Name, tied.Embedding, shared.Modules, shared.Saved, recent);
        }
        return tensors;

        Change? Find(Adapter adapter, string parameter, bool mayBeFlat)
        {
            var found = targets.Find(parameter, mayBeFlat);
            if (found.Count != 1)
            {
                var near = targets.Nearest(parameter);
                problems.Add(found.Count > 1
                    ? new Diagnostic($"'{parameter}', which the adapter changes, may be any of {found.Count} in the model: "
                        + $"{string.Join(", ", found.Take(4))}{(found.Count > 4 ? ", …" : "")}")
                    {
                        Where = $"{adapter.Path} in {model.Path}",
                        Expected = "a model in which one name ends in the adapter's",
                        Fix = "Give the part of the model the adapter was trained on.",
                    }
                    : new Diagnostic($"the model has no '{parameter}', which the adapter changes")
                    {
                        Where = $"{adapter.Path} in {model.Path}",
                        Expected = "an adapter of this model" + (near is null ? "" : $" (nearest there: '{near}')"),
                        Fix = adapter.Config?.BaseModel is { } trained ? $"It was trained on '{trained}'." : null,
                    });
                return null;
            }
            var name = found[0];
            if (!changes.TryGetValue(name, out var changed))
                changes[name] = changed = new(model.Tensors.GetValueOrDefault(name) ?? tied!.Embedding);
            return changed;
        }

        bool IsEmbedding(Change changed) => tied is not null && changes.GetValueOrDefault(tied.Embedding.Name) == changed;

        bool HasShape(Adapter adapter, AdapterModule module, TensorSource stored)
        {
            if (module.Shape.AsSpan().SequenceEqual(stored.Shape.AsSpan()) && stored.DType.IsMergeable())
                return true;
            problems.Add(Misfit(adapter, module.Name, stored, $"it adds [{string.Join(", ", module.Shape)}]"));
            return false;
        }

        bool IsAlike(Adapter adapter, TensorSource saved, TensorSource stored)
        {
            if (saved.Shape.AsSpan().SequenceEqual(stored.Shape.AsSpan()) && saved.DType.IsMergeable() && stored.DType.IsMergeable())
                return true;
            problems.Add(Misfit(adapter, saved.Name, stored, $"it brings {saved.DType} [{string.Join(", ", saved.Shape)}]"));
            return false;
        }
    }

    /// <summary>What most classes call their output head.</summary>
    public const string HeadName = "lm_head.weight";

    private static Diagnostic Misfit(Adapter adapter, string module, TensorSource stored, string found) =>
        new($"'{module}' does not fit '{stored.Name}': {found}")
        {
            Where = adapter.Path,
            Expected = $"{stored.DType} [{string.Join(", ", stored.Shape)}]"
                + (stored.DType.IsMergeable() ? ", as the model has it" : ", which is no floating-point dtype"),
            Fix = "Give the model the adapter was trained on (with its vocabulary, where it is the embedding).",
        };

    private sealed class Change(TensorSource stored)
    {
        public TensorSource Stored { get; } = stored;

        public List<(AdapterModule Module, double Weight)> Modules { get; } = [];

        public List<(TensorSource Saved, double Weight)> Saved { get; } = [];

        public int Count => Modules.Count + Saved.Count;
    }
}

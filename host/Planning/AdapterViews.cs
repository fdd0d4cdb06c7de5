using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>
/// Adapters as checkpoints of task vectors, all of the same tensors, on a base of zeros: what lets every method merge them
/// as it merges models.
/// </summary>
internal sealed class AdapterViews
{
    private AdapterViews(IReadOnlyList<Checkpoint> models, Checkpoint zeros) => (Models, Zeros) = (models, zeros);

    /// <summary>One an adapter, in order.</summary>
    public IReadOnlyList<Checkpoint> Models { get; }

    /// <summary>The base the task vectors stand on.</summary>
    public Checkpoint Zeros { get; }

    public required IReadOnlyDictionary<string, (AdapterModule Like, IReadOnlyList<AdapterModule?> Each)> Modules { get; init; }

    public required IReadOnlyDictionary<string, IReadOnlyList<TensorSource?>> Saved { get; init; }

    /// <summary>What is worth knowing of how they fit together.</summary>
    public required IReadOnlyList<Diagnostic> Warnings { get; init; }

    /// <exception cref="MergeException">They do not fit together, or have no task vector without their base.</exception>
    public static AdapterViews Of(IReadOnlyList<Adapter> adapters)
    {
        var problems = new List<Diagnostic>();
        problems.AddRange(adapters.Select(Dora).OfType<Diagnostic>());
        if (adapters.Select(a => a.Config is null).Distinct().Count() > 1)
        {
            problems.Add(new Diagnostic("some adapters have a config, as PEFT's, and some say their scales among the tensors, as kohya's and diffusers': they name their modules differently")
            {
                Where = string.Join(", ", adapters.Select(a => a.Path)),
                Fix = "Convert them to one format first.",
            });
        }
        var modules = new Dictionary<string, (AdapterModule Like, IReadOnlyList<AdapterModule?> Each)>(StringComparer.Ordinal);
        foreach (var name in adapters.SelectMany(a => a.Modules.Keys).Distinct().Order(StringComparer.Ordinal))
        {
            AdapterModule?[] each = [.. adapters.Select(a => a.Modules.GetValueOrDefault(name))];
            var like = each.First(m => m is not null)!;
            modules.Add(like.Weight, (like, each));
            foreach (var (adapter, module) in adapters.Zip(each).Where(m => m.Second is not null))
            {
                if (module!.Layout == like.Layout && module.Shape.AsSpan().SequenceEqual(like.Shape))
                    continue;
                problems.Add(new Diagnostic($"'{name}' adds [{string.Join(", ", module.Shape)}] ({module.Layout}) here and "
                    + $"[{string.Join(", ", like.Shape)}] ({like.Layout}) in another adapter")
                {
                    Where = adapter.Path,
                    Expected = "adapters of one base model",
                });
            }
        }
        var saved = new Dictionary<string, IReadOnlyList<TensorSource?>>(StringComparer.Ordinal);
        foreach (var name in adapters.SelectMany(a => a.Saved.Keys).Distinct().Order(StringComparer.Ordinal))
        {
            // An adapter of the embedding brings the embedding itself, unchanged, beside its factors.
            if (adapters.All(a => !a.Saved.ContainsKey(name) || a.Modules.Values.Any(m => m.Weight == name)))
                continue;
            TensorSource?[] each = [.. adapters.Select(a => a.Saved.GetValueOrDefault(name))];
            saved.Add(name, each);
            if (each.OfType<TensorSource>().FirstOrDefault(t => !t.DType.IsMergeable()) is { } codes)
            {
                problems.Add(new Diagnostic($"'{name}', which the adapters bring whole, is of {codes.DType}")
                {
                    Where = string.Join(", ", adapters.Select(a => a.Path)),
                    Expected = "a floating-point dtype: others are never averaged",
                    Fix = "Merge whole models instead: write each as 'base+adapter'.",
                });
            }
            if (modules.ContainsKey(name) || each.OfType<TensorSource>().DistinctBy(t => string.Join(',', t.Shape)).Count() > 1)
            {
                problems.Add(new Diagnostic($"'{name}' is {(modules.ContainsKey(name)
                    ? "brought whole by one adapter and changed by factors in another" : "not of one shape in all adapters")}")
                {
                    Where = string.Join(", ", adapters.Select(a => a.Path)),
                    Fix = "Merge whole models instead: write each as 'base+adapter'.",
                });
            }
        }
        if (problems.Count > 0)
            throw new MergeException(problems);

        var recent = new RecentFactors();
        return new(
            [.. adapters.Select((adapter, i) => Checkpoint.Of(adapter.Path, Tensors(i), adapter.Checkpoint.Files))],
            Checkpoint.Of("zeros", Tensors(-1), []))
        {
            Modules = modules,
            Saved = saved,
            Warnings = [.. Alike(adapters)],
        };

        IEnumerable<KeyValuePair<string, TensorSource>> Tensors(int model)
        {
            foreach (var (name, (like, each)) in modules)
            {
                yield return new(name, model >= 0 && each[model] is { } module
                    ? AdaptedTensor.TaskVector(name, [(module, 1)], recent) : new ZeroTensor(name, [.. like.Shape]));
            }
            foreach (var (name, each) in saved)
            {
                yield return new(name, model >= 0 && each[model] is { } tensor
                    ? new RenamedTensor(name, tensor) : new ZeroTensor(name, each.First(t => t is not null)!.Shape));
            }
        }
    }

    /// <summary>Modules that may be one under two names: adapters of a bare model leave out what wraps it.</summary>
    private static IEnumerable<Diagnostic> Alike(IReadOnlyList<Adapter> adapters)
    {
        foreach (var (i, first) in adapters.Index())
        {
            foreach (var second in adapters.Skip(i + 1))
            {
                var own = first.Modules.Keys.Except(second.Modules.Keys).ToLookup(Last, StringComparer.Ordinal);
                (string A, string B)[] pairs =
                [
                    .. second.Modules.Keys.Except(first.Modules.Keys)
                        .SelectMany(b => own[Last(b)].Where(a => EndsIn(a, b) || EndsIn(b, a)).Select(a => (a, b))),
                ];
                if (pairs.Length == 0)
                    continue;
                yield return new Diagnostic($"'{pairs[0].A}' and '{pairs[0].B}'"
                    + (pairs.Length == 1 ? "" : $", and {pairs.Length - 1} more pairs,")
                    + " are merged as different modules, and may be the same under two names")
                {
                    Severity = Severity.Warning,
                    Where = $"{first.Path}, {second.Path}",
                    Expected = "adapters that name their modules alike (one may be of the bare model, one of the model with its head)",
                    Fix = "If they are the same, merge whole models instead: 'base+adapter' finds each its place.",
                };
            }
        }

        static bool EndsIn(string longer, string name) =>
            longer.Replace('.', '_').EndsWith("_" + name.Replace('.', '_'), StringComparison.Ordinal);

        // What both must end in, whichever writes '_' for a dot.
        static string Last(string module) => module[(module.LastIndexOfAny(['.', '_']) + 1)..];
    }

    private static Diagnostic? Dora(Adapter adapter) =>
        adapter.Modules.Values.FirstOrDefault(m => m.Magnitude is not null) is { } module
            ? new Diagnostic($"'{module.Name}' has DoRA: its change depends on the weights it is added to, so without the base "
                + "there is no task vector to merge")
            {
                Where = adapter.Path,
                Fix = "Merge whole models instead: write each as 'base+adapter'.",
            }
            : null;
}

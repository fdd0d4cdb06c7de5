using Merge.Adapters;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>What an extracted adapter brings whole, so that PEFT's <c>modules_to_save</c> means that and nothing else.</summary>
internal static class SavedModules
{
    /// <summary>The embedding that stands for a head neither model stores, and the head's name; null where it stands for none,
    /// or for one whose name is not known.</summary>
    public static TiedHead? Tied(MergePlan plan)
    {
        string?[] names = [.. plan.Models.Append(plan.Base!).Select(m => new PlannedModel(m.Path, m).TiesHead ? CausalHeads.NameIn(m) : null).Distinct()];
        return names is [{ } name] ? new(name, TokenEmbedding.Of(plan.Models[0])!, true) : null;
    }

    /// <summary>The parameters that are brought whole: PEFT wraps modules, each with all it holds.</summary>
    /// <param name="plan">One model and a base.</param>
    /// <param name="names">Modules, by their names or last parts, or parameters in full.</param>
    /// <param name="merged">What the models share.</param>
    /// <param name="differing">The model's own tensors of other shapes.</param>
    /// <param name="warnings">Gets what comes with them.</param>
    /// <exception cref="MergeException">A name that is none, or of a parameter that no module holds.</exception>
    public static TensorPlan[] Of(
        MergePlan plan, IReadOnlyList<string> names, TensorPlan[] merged, TensorSource[] differing, List<Diagnostic> warnings)
    {
        var tied = Tied(plan);
        TensorPlan[] all =
        [
            .. merged,
            .. differing.Select(t => TensorPlan.Copy(TensorNaming.Describe(t.Name, t.Shape), t)),
            .. tied is null ? Array.Empty<TensorPlan>()
                : [TensorPlan.Copy(TensorNaming.Describe(tied.Name, tied.Embedding.Shape), new RenamedTensor(tied.Name, tied.Embedding))],
        ];
        Check(names, [.. all.Select(t => t.Info.Name)]);
        HashSet<string> wrapped = [.. all.Select(t => t.Info.Name).Where(t => names.Any(n => IsNamed(t, n))).Select(Owner)];
        // A tied head is the embedding: PEFT wraps the one and leaves the other as it was.
        if (tied is not null && (wrapped.Contains(Owner(tied.Name)) || wrapped.Contains(Owner(tied.Embedding.Name))))
            wrapped.UnionWith([Owner(tied.Name), Owner(tied.Embedding.Name)]);
        TensorPlan[] saved = [.. all.Where(t => MergedConfig.Holders(Owner(t.Info.Name)).Any(wrapped.Contains))];
        string[] inside = [.. saved.Select(t => t.Info.Name).Where(t => !wrapped.Contains(Owner(t)))];
        if (inside.Length > 0)
        {
            warnings.Add(new Diagnostic("PEFT's modules_to_save brings modules with all they hold: with what is to be saved "
                + $"{(inside.Length == 1 ? "comes" : "come")} {string.Join(", ", inside.Take(4))}{(inside.Length > 4 ? $" and {inside.Length - 4} more" : "")}")
            {
                Severity = Severity.Warning,
                Where = "command line",
                Fix = "They are in the adapter whole, and not as factors. Leave the module out of --save where that is too much.",
            });
        }
        return saved;
    }

    /// <summary>A tied embedding in the adapter of which no head is known that it could bring.</summary>
    public static IEnumerable<Diagnostic> Doubts(MergePlan plan, IEnumerable<TensorPlan> parts)
    {
        if (Tied(plan) is null && plan.Models.Append(plan.Base!).All(TiedHeads.MayTie)
            && TokenEmbedding.Of(plan.Models[0]) is { } embedding && parts.Any(t => t.Info.Name == embedding.Name))
        {
            yield return new Diagnostic(
                $"'{embedding.Name}' is in the adapter, and whatever the model ties to it is not: PEFT leaves an output head at the base's weights")
            {
                Severity = Severity.Warning,
                Where = plan.Models[0].Path,
                Fix = "All is well where the model has no such head. One comes with the embedding where the config's class is known to "
                    + "read it under a name of its own, and the tensors have that class's prefix.",
            };
        }
    }

    /// <exception cref="MergeException">A target is an embedding that is tied to the head, or the head.</exception>
    public static void CheckTied(MergePlan plan, IReadOnlyList<string> targets)
    {
        if (Tied(plan) is not { } tied || !targets.Any(t => Extraction.IsNamed(tied.Embedding.Name, t) || Extraction.IsNamed(tied.Name, t)))
            return;
        throw new MergeException(new Diagnostic($"'{tied.Embedding.Name}' is tied to the output head: factors would change the one and not the other")
        {
            Where = "command line",
            Expected = "targets that stand for themselves",
            Fix = $"Bring it whole, which brings the head as well: --save {Owner(tied.Embedding.Name).Split('.')[^1]}, and no --target of that name.",
        })
        { WrongUsage = true };
    }

    /// <param name="saved">What is brought whole.</param>
    /// <param name="others">All else that the models share.</param>
    /// <param name="modules">All of the model.</param>
    /// <exception cref="MergeException">PEFT would take a name to mean another module as well: it brings whole what ends in
    /// one, no dot before it asked for, so that not even a full name says which is meant.</exception>
    public static void CheckHits(IEnumerable<string> saved, IEnumerable<string> others, string[] modules)
    {
        var open = others.SelectMany(t => MergedConfig.Holders(Owner(t))).ToHashSet(StringComparer.Ordinal);
        HashSet<string> whole = [.. saved.SelectMany(t => MergedConfig.Holders(Owner(t))).Where(m => !open.Contains(m))];
        Diagnostic[] problems =
        [
            .. MergedConfig.Wrapped(saved.Select(Owner)).SelectMany(
                s => modules.Where(m => MergedConfig.IsSaved(s, m) && !whole.Contains(m)).Take(1), (s, m) => new Diagnostic(
                $"PEFT's modules_to_save cannot mean '{s}' without '{m}', which ends in it and is not saved")
            {
                Where = "command line",
                Expected = "modules whose names no other module's name ends in",
                Fix = $"Save both: --save {m}. Or leave '{s}' out.",
            }),
        ];
        if (problems.Length > 0)
            throw new MergeException(problems) { WrongUsage = true };
    }

    /// <summary>Whether a name is a parameter's, or that of a module that holds it.</summary>
    private static bool IsNamed(string tensor, string name) => tensor == name
        || MergedConfig.Holders(Owner(tensor)).Any(m => AdapterNames.EndsIn(m, name));

    private static void Check(IReadOnlyList<string> names, string[] tensors)
    {
        Diagnostic[] problems =
        [
            .. names.Where(n => !tensors.Any(t => IsNamed(t, n))).Select(n => new Diagnostic(
                $"'{n}' is a parameter to save and in no tensor's name")
            {
                Where = "command line",
                Expected = "the name of a module, or its last part such as lm_head",
                Fix = NearestMatch.Question(n, tensors.SelectMany(t => MergedConfig.Holders(Owner(t))).Select(m => m.Split('.')[^1]).Distinct()),
            }),
            .. names.Where(n => !n.Contains('.') && tensors.Contains(n)).Select(n => new Diagnostic(
                $"'{n}' is a parameter of no module, and PEFT's modules_to_save brings modules")
            {
                Where = "command line",
                Expected = "the name of a module, or its last part such as lm_head",
                Fix = "Leave it out; to keep its change take the fine-tuned model itself.",
            }),
        ];
        if (problems.Length > 0)
            throw new MergeException(problems) { WrongUsage = true };
    }

    /// <summary>The module a parameter is of.</summary>
    public static string Owner(string tensor) => tensor.Contains('.') ? tensor[..tensor.LastIndexOf('.')] : tensor;
}

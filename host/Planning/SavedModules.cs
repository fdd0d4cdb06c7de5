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

    /// <summary>Where a tied embedding is brought whole: the head, which PEFT would leave as it was.</summary>
    public static IEnumerable<TensorPlan> TiedHead(MergePlan plan, TensorPlan[] saved)
    {
        if (Tied(plan) is { } tied && saved.Any(t => t.Info.Name == tied.Embedding.Name))
            yield return TensorPlan.Copy(TensorNaming.Describe(tied.Name, tied.Embedding.Shape), new RenamedTensor(tied.Name, tied.Embedding));
    }

    /// <exception cref="MergeException">A target is an embedding that is tied to the head.</exception>
    public static void CheckTied(MergePlan plan, TensorPlan[] targets)
    {
        if (Tied(plan)?.Embedding is not { } embedding || !targets.Any(t => t.Info.Name == embedding.Name))
            return;
        throw new MergeException(new Diagnostic($"'{embedding.Name}' is tied to the output head: factors would change the one and not the other")
        {
            Where = "command line",
            Expected = "targets that stand for themselves",
            Fix = $"Bring it whole, which brings the head as well: --save {Owner(embedding.Name).Split('.')[^1]}.",
        })
        { WrongUsage = true };
    }

    /// <param name="saved">Modules that are brought whole, by their full names.</param>
    /// <param name="modules">All of the model.</param>
    /// <exception cref="MergeException">PEFT would take a name to mean another module as well: it brings whole what ends in
    /// one, no dot before it asked for, so that not even a full name says which is meant.</exception>
    public static void CheckHits(string[] saved, string[] modules)
    {
        Diagnostic[] problems =
        [
            .. saved.SelectMany(s => modules.Where(m => MergedConfig.IsSaved(s, m) && !saved.Contains(m)).Take(1), (s, m) => new Diagnostic(
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

    /// <summary>The module a parameter is of.</summary>
    public static string Owner(string tensor) => tensor.Contains('.') ? tensor[..tensor.LastIndexOf('.')] : tensor;
}

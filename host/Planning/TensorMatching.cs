using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>One tensor of the output and where each model stores it, the base last where there is one.</summary>
internal sealed record MatchedTensor(string Name, IReadOnlyList<TensorSource> Stored);

/// <summary>
/// Brings the models' tensors together by name. What is missing, extra or of another shape is an error, and all of
/// them are reported at once: merging what happens to fit would give a model nobody asked for.
/// </summary>
internal static class TensorMatching
{
    /// <param name="models">All that take part: the models, then the base where the method uses one.</param>
    /// <param name="donor">The model whose order the output takes.</param>
    /// <param name="heads">Which of them have an output head of their own.</param>
    /// <param name="problems">Where errors and warnings go.</param>
    public static IReadOnlyList<MatchedTensor> Match(
        IReadOnlyList<PlannedModel> models, PlannedModel donor, TiedHeads heads, List<Diagnostic> problems)
    {
        var matched = new List<MatchedTensor>();
        var missing = models.ToDictionary(m => m, _ => new List<string>());
        foreach (var name in NamesInOrder(models, donor).Where(n => !heads.LeavesOut(n, models)))
        {
            var stored = models.Select(m => heads.Find(m, name)).ToArray();
            foreach (var (model, _) in models.Zip(stored).Where(p => p.Second is null))
                missing[model].Add(name);
            if (stored.All(s => s is not null))
                matched.Add(new(name, stored!));
        }
        foreach (var (model, names) in missing.Where(m => m.Value.Count > 0))
            problems.Add(Missing(model, names, models));
        return matched;
    }

    private static IEnumerable<string> NamesInOrder(IReadOnlyList<PlannedModel> models, PlannedModel donor) =>
        models.Prepend(donor).Where(models.Contains).Distinct()
            .SelectMany(m => m.Checkpoint.Tensors.Values
                .OrderBy(t => m.Checkpoint.Files.IndexOf(t.File)).ThenBy(t => t.Offset).ThenBy(t => t.Name, StringComparer.Ordinal))
            .Select(t => t.Name)
            .Distinct();

    private static int IndexOf<T>(this IReadOnlyList<T> list, T item) => list.Index().First(x => Equals(x.Item, item)).Index;

    private static Diagnostic Missing(PlannedModel model, List<string> names, IReadOnlyList<PlannedModel> models)
    {
        var holder = models.First(m => m.Find(names[0]) is not null);
        var near = NearestMatch.Of(names[0], model.Checkpoint.Tensors.Keys);
        return new Diagnostic(
            $"'{model.Text}' lacks {names.Count} tensor{(names.Count == 1 ? "" : "s")} that '{holder.Text}' "
            + $"{(models.Count > 2 ? "or another model " : "")}has: {string.Join(", ", names)}")
        {
            Expected = "every model to have the same tensors",
            Where = model.Checkpoint.Path,
            Fix = near is null
                ? "Merge checkpoints of one architecture."
                : $"Merge checkpoints of one architecture (nearest to '{names[0]}' there: '{near}').",
        };
    }

    /// <summary>Whether the models have it in one shape and kind of number; if not, says so.</summary>
    public static bool CheckAlike(MatchedTensor tensor, IReadOnlyList<PlannedModel> models, List<Diagnostic> problems)
    {
        var before = problems.Count;
        if (tensor.Stored.Any(s => !s.Shape.AsSpan().SequenceEqual(tensor.Stored[0].Shape.AsSpan())))
        {
            problems.Add(new Diagnostic("its shape differs: " + Each(s => $"[{string.Join(", ", s.Shape)}]"))
            {
                Expected = "one shape in all models",
                Where = tensor.Name,
                Fix = TokenEmbedding.HasTokenRows(tensor.Name, tensor.Stored[0].Shape.Length)
                    ? "Bring the models to one vocabulary: add 'tokenizer: {source: union}' to the recipe "
                        + "(or --on-mismatch crop-embeddings)."
                    : "Merge checkpoints of one architecture (or --on-mismatch skip-model).",
            });
        }
        if (tensor.Stored.Any(s => s.DType.IsMergeable() != tensor.Stored[0].DType.IsMergeable()))
        {
            problems.Add(new Diagnostic("it is of numbers in some models and of codes in others: " + Each(s => $"{s.DType}"))
            {
                Expected = "a floating-point dtype in all models, or an integer one in all",
                Where = tensor.Name,
                Fix = "Bring the models to one format first.",
            });
        }
        return problems.Count == before;

        string Each(Func<TensorSource, string> text) =>
            string.Join(", ", models.Zip(tensor.Stored).Select(p => $"{text(p.Second)} in '{p.First.Text}'"));
    }
}

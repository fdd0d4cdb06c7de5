using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>One tensor of the output and where each model stores it, the base last where there is one.</summary>
internal sealed record MatchedTensor(string Name, IReadOnlyList<TensorSource> Stored);

/// <summary>
/// Brings the models' tensors together by their names in the output. What is missing, extra or of another shape is an
/// error, and all of them are reported at once: merging what happens to fit would give a model nobody asked for.
/// </summary>
internal static class TensorMatching
{
    /// <param name="views">All that take part: the models, then the base where the method uses one.</param>
    /// <param name="leader">The view whose order the output takes, where it takes part.</param>
    /// <param name="heads">Which models have an output head of their own.</param>
    /// <param name="problems">Where errors and warnings go.</param>
    public static IReadOnlyList<MatchedTensor> Match(
        IReadOnlyList<ModelView> views, ModelView leader, TiedHeads heads, List<Diagnostic> problems)
    {
        var matched = new List<MatchedTensor>();
        var missing = views.ToDictionary(v => v, _ => new List<string>());
        foreach (var name in NamesInOrder(views, leader).Concat(heads.Of(views)).Distinct().Where(n => !heads.LeavesOut(n)))
        {
            var stored = views.Select(v => heads.Find(v, name)).ToArray();
            foreach (var (view, _) in views.Zip(stored).Where(p => p.Second is null))
                missing[view].Add(name);
            if (stored.All(s => s is not null))
                matched.Add(new(name, stored!));
        }
        foreach (var (view, names) in missing.Where(m => m.Value.Count > 0)
            .DistinctBy(m => (m.Key.Model, string.Join(' ', m.Value))))
        {
            problems.Add(Missing(view, names, views));
        }
        return matched;
    }

    private static IEnumerable<string> NamesInOrder(IReadOnlyList<ModelView> views, ModelView leader) =>
        views.Where(v => v.Model == leader.Model).Concat(views).SelectMany(v => v.Names).Distinct();

    private static Diagnostic Missing(ModelView view, List<string> names, IReadOnlyList<ModelView> views)
    {
        var holder = views.First(m => m.Find(names[0]) is not null);
        var near = NearestMatch.Of(names[0], view.Names);
        return new Diagnostic(
            $"'{view.Model.Text}' lacks {names.Count} tensor{(names.Count == 1 ? "" : "s")} that '{holder.Model.Text}' "
            + $"{(views.Count > 2 ? "or another model " : "")}has: {string.Join(", ", names)}")
        {
            Expected = "every model to have the same tensors",
            Where = view.Model.Checkpoint.Path,
            Fix = near is null
                ? "Merge checkpoints of one architecture."
                : $"Merge checkpoints of one architecture (nearest to '{names[0]}' there: '{near}').",
        };
    }

    /// <summary>Whether the models have it in one shape and kind of number; if not, says so.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="models">Whose it is.</param>
    /// <param name="line">The recipe's line that brings them together, in words; null if there is no recipe.</param>
    /// <param name="problems">Where errors go.</param>
    public static bool CheckAlike(
        MatchedTensor tensor, IReadOnlyList<PlannedModel> models, string? line, List<Diagnostic> problems)
    {
        var where = line is null ? tensor.Name : $"{tensor.Name}, merged by {line}";
        var before = problems.Count;
        if (tensor.Stored.Any(s => !s.Shape.AsSpan().SequenceEqual(tensor.Stored[0].Shape.AsSpan())))
        {
            problems.Add(new Diagnostic("its shape differs: " + Each(s => $"[{string.Join(", ", s.Shape)}]"))
            {
                Expected = "one shape in all models",
                Where = where,
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
                Where = where,
                Fix = "Bring the models to one format first.",
            });
        }
        return problems.Count == before;

        string Each(Func<TensorSource, string> text) =>
            string.Join(", ", models.Zip(tensor.Stored).Select(p => $"{text(p.Second)} in '{p.First.Text}'"));
    }
}

using Merge.Checkpoints;
using Merge.Sdk;

namespace Merge.Planning;

/// <summary>One tensor of the output and where each model stores it, the base last where there is one.</summary>
internal sealed record MatchedTensor(string Name, IReadOnlyList<StoredTensor> Stored);

/// <summary>
/// Brings the models' tensors together by their names in the output. What is missing, extra or of another shape is an
/// error, and all of them are reported at once: merging what happens to fit would give a model nobody asked for.
/// </summary>
internal static class TensorMatching
{
    /// <param name="views">All that take part: the models, then the base where the method uses one.</param>
    /// <param name="leader">The view whose order the output takes, where it takes part.</param>
    /// <param name="donor">The model that says whether the head is tied.</param>
    /// <param name="problems">Where errors and warnings go.</param>
    public static IReadOnlyList<MatchedTensor> Match(
        IReadOnlyList<ModelView> views, ModelView leader, PlannedModel donor, List<Diagnostic> problems)
    {
        var matched = new List<MatchedTensor>();
        var missing = views.ToDictionary(v => v, _ => new List<string>());
        foreach (var name in NamesInOrder(views, leader))
        {
            var stored = views.Select(v => v.Find(name) ?? TiedHead(v.Model, name)).ToArray();
            if (donor.Find(name) is null && TiedHead(donor, name) is not null)
            {
                ReportDroppedHead(name, views, donor, problems);
                continue;
            }
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
        foreach (var tensor in matched)
            CheckAlike(tensor, views, leader, problems);
        return matched;
    }

    private static IEnumerable<string> NamesInOrder(IReadOnlyList<ModelView> views, ModelView leader) =>
        views.Where(v => v.Model == leader.Model).Concat(views).SelectMany(v => v.Names).Distinct();

    /// <summary>The embedding, where it stands for an output head that a tied model does not store.</summary>
    private static StoredTensor? TiedHead(PlannedModel model, string name) =>
        model.TiesHead && TensorNaming.KindOf(name, 2) == TensorKind.Head && name.EndsWith(".weight", StringComparison.Ordinal)
            ? model.Checkpoint.Tensors.Values.FirstOrDefault(
                t => TensorNaming.KindOf(t.Name, t.Shape.Length) == TensorKind.Embedding)
            : null;

    private static void ReportDroppedHead(
        string name, IReadOnlyList<ModelView> views, PlannedModel donor, List<Diagnostic> problems)
    {
        foreach (var model in views.Select(v => v.Model).Distinct().Where(m => !m.TiesHead && m.Find(name) is not null))
        {
            problems.Add(new Diagnostic(
                $"'{model.Text}' has an output head of its own, which is left out: the output takes its config from "
                + $"'{donor.Text}', which ties the head to the embedding")
            {
                Severity = Severity.Warning,
                Where = name,
            });
        }
    }

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

    // A donor that takes no part lends its config and its integers, so its tensors must be like the others, too.
    private static void CheckAlike(
        MatchedTensor tensor, IReadOnlyList<ModelView> views, ModelView leader, List<Diagnostic> problems)
    {
        var all = views.Zip(tensor.Stored);
        if (!views.Any(v => v.Model == leader.Model) && leader.Find(tensor.Name) is { } lent)
            all = all.Append((leader, lent));
        if (all.Any(p => !p.Second.Shape.AsSpan().SequenceEqual(tensor.Stored[0].Shape.AsSpan())))
        {
            problems.Add(new Diagnostic("its shape differs: " + Each(s => $"[{string.Join(", ", s.Shape)}]"))
            {
                Expected = "one shape in all models",
                Where = tensor.Name,
                Fix = "Merge checkpoints of one architecture and vocabulary.",
            });
        }
        if (all.Any(p => p.Second.DType.IsMergeable() != tensor.Stored[0].DType.IsMergeable()))
        {
            problems.Add(new Diagnostic("it is of numbers in some models and of codes in others: " + Each(s => $"{s.DType}"))
            {
                Expected = "a floating-point dtype in all models, or an integer one in all",
                Where = tensor.Name,
                Fix = "Bring the models to one format first.",
            });
        }

        string Each(Func<StoredTensor, string> text) =>
            string.Join(", ", all.Select(p => $"{text(p.Second)} in '{p.First.Model.Text}'"));
    }
}

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
    /// <param name="donor">The model whose order and tied head the output takes.</param>
    /// <param name="problems">Where errors and warnings go.</param>
    public static IReadOnlyList<MatchedTensor> Match(
        IReadOnlyList<PlannedModel> models, PlannedModel donor, List<Diagnostic> problems)
    {
        var matched = new List<MatchedTensor>();
        var missing = models.ToDictionary(m => m, _ => new List<string>());
        foreach (var name in NamesInOrder(models, donor))
        {
            var stored = models.Select(m => m.Find(name) ?? TiedHead(m, name)).ToArray();
            if (donor.Find(name) is null && TiedHead(donor, name) is not null)
            {
                ReportDroppedHead(name, models, donor, problems);
                continue;
            }
            foreach (var (model, _) in models.Zip(stored).Where(p => p.Second is null))
                missing[model].Add(name);
            if (stored.All(s => s is not null))
                matched.Add(new(name, stored!));
        }
        foreach (var (model, names) in missing.Where(m => m.Value.Count > 0))
            problems.Add(Missing(model, names, models));
        foreach (var tensor in matched)
            CheckAlike(tensor, models, problems);
        return matched;
    }

    private static IEnumerable<string> NamesInOrder(IReadOnlyList<PlannedModel> models, PlannedModel donor) =>
        models.Prepend(donor).Where(models.Contains).Distinct()
            .SelectMany(m => m.Checkpoint.Tensors.Values
                .OrderBy(t => m.Checkpoint.Files.IndexOf(t.File)).ThenBy(t => t.Offset).ThenBy(t => t.Name, StringComparer.Ordinal))
            .Select(t => t.Name)
            .Distinct();

    private static int IndexOf<T>(this IReadOnlyList<T> list, T item) => list.Index().First(x => Equals(x.Item, item)).Index;

    /// <summary>The embedding, where it stands for an output head that a tied model does not store.</summary>
    private static StoredTensor? TiedHead(PlannedModel model, string name) =>
        model.TiesHead && TensorNaming.KindOf(name, 2) == TensorKind.Head && name.EndsWith(".weight", StringComparison.Ordinal)
            ? model.Checkpoint.Tensors.Values.FirstOrDefault(
                t => TensorNaming.KindOf(t.Name, t.Shape.Length) == TensorKind.Embedding)
            : null;

    private static void ReportDroppedHead(
        string name, IReadOnlyList<PlannedModel> models, PlannedModel donor, List<Diagnostic> problems)
    {
        foreach (var model in models.Where(m => !m.TiesHead && m.Find(name) is not null))
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

    private static void CheckAlike(MatchedTensor tensor, IReadOnlyList<PlannedModel> models, List<Diagnostic> problems)
    {
        if (tensor.Stored.Any(s => !s.Shape.AsSpan().SequenceEqual(tensor.Stored[0].Shape.AsSpan())))
        {
            problems.Add(new Diagnostic("its shape differs: " + Each(s => $"[{string.Join(", ", s.Shape)}]"))
            {
                Expected = "one shape in all models",
                Where = tensor.Name,
                Fix = "Merge checkpoints of one architecture and vocabulary.",
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

        string Each(Func<TensorSource, string> text) =>
            string.Join(", ", models.Zip(tensor.Stored).Select(p => $"{text(p.Second)} in '{p.First.Text}'"));
    }
}

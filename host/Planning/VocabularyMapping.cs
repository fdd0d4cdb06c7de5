using Merge.Checkpoints;
using Merge.Sdk;
using Merge.Vocabulary;

namespace Merge.Planning;

/// <summary>Brings embeddings and heads to the output's vocabulary before they are merged.</summary>
/// <param name="Plan">The vocabulary.</param>
/// <param name="Models">The models of its maps, in their order.</param>
internal sealed record VocabularyMapping(VocabularyPlan Plan, IReadOnlyList<PlannedModel> Models)
{
    /// <summary>The tensor with its rows in the output's order; one without token rows as it is.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="models">Whose it is, one a stored tensor.</param>
    /// <param name="heads">Finds it in models that do not give it, but rows of it.</param>
    /// <param name="problems">Where errors go.</param>
    public MatchedTensor Apply(
        MatchedTensor tensor, IReadOnlyList<PlannedModel> models, TiedHeads heads, List<Diagnostic> problems)
    {
        TensorSource?[] each = [.. Models.Select(m => heads.Find(m, tensor.Name))];
        if (!tensor.Stored.Zip(models).All(t => HasTokenRows(tensor.Name, t.First, t.Second)))
            return tensor;
        var mapped = new List<TensorSource>();
        foreach (var (stored, model) in tensor.Stored.Zip(models))
        {
            var map = Plan.Maps[IndexOf(model)];
            TensorSource?[] rows = [.. each];
            rows[map.Model] = stored;
            if (MappedTensor.Needed(map).FirstOrDefault(i => !FitsTo(stored, rows[i], Models[i]), -1) is var bad and >= 0)
            {
                problems.Add(new Diagnostic(
                    $"'{model.Text}' needs rows of '{Models[bad].Text}', whose tensor does not fit: "
                    + (rows[bad] is { } other ? $"[{string.Join(", ", other.Shape)}] {other.DType}" : "it has none"))
                {
                    Expected = $"[{string.Join(", ", stored.Shape.Skip(1).Select(s => $"{s}").Prepend("a row a token"))}]",
                    Where = tensor.Name,
                    Fix = "Merge checkpoints of one architecture.",
                });
                return tensor;
            }
            mapped.Add(MappedTensor.Of(map, rows));
        }
        return tensor with { Stored = mapped };
    }

    private int IndexOf(PlannedModel model) => Models.Index().First(m => m.Item.Checkpoint == model.Checkpoint).Index;

    private static bool FitsTo(TensorSource own, TensorSource? other, PlannedModel model) => other is not null
        && HasTokenRows(own.Name, other, model) && other.Shape.AsSpan()[1..].SequenceEqual(own.Shape.AsSpan()[1..]);

    private static bool HasTokenRows(string name, TensorSource tensor, PlannedModel model) =>
        TokenEmbedding.HasTokenRows(name, tensor.Shape.Length) && tensor.DType.IsMergeable()
        && TokenEmbedding.Of(model.Checkpoint)?.Shape[0] == tensor.Shape[0];
}

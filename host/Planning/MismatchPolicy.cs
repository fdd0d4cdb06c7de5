using Merge.Checkpoints;
using Merge.Sdk;
using Merge.Vocabulary;

namespace Merge.Planning;

/// <summary>What to do with a tensor whose shape is not the same in all models. Of both, cropping goes first.</summary>
[Flags]
internal enum OnMismatch
{
    /// <summary>The models do not fit together.</summary>
    Error = 0,
    /// <summary>
    /// A model whose tensor has another shape than the base's (without a base: the first model's) is left out there.
    /// </summary>
    SkipModel = 1,
    /// <summary>Of embeddings and heads only the first rows are merged: as many as every model has.</summary>
    CropEmbeddings = 2,
    /// <summary>The tensor is in no plan: whoever asks for this deals with it.</summary>
    LeaveOut = 4,
}

/// <summary>Does to one tensor what the user chose, and tells of it.</summary>
internal static class MismatchPolicy
{
    /// <summary>The tensor with only the rows all models have, where cropping is allowed and enough.</summary>
    public static MatchedTensor Crop(MatchedTensor tensor, OnMismatch allowed, List<Diagnostic> problems)
    {
        var first = tensor.Stored[0];
        if (!allowed.HasFlag(OnMismatch.CropEmbeddings) || AllAlike(tensor)
            || !TokenEmbedding.HasTokenRows(tensor.Name, first.Shape.Length)
            || tensor.Stored.Any(s => !s.DType.IsMergeable() || s.Shape.Length != first.Shape.Length
                || !s.Shape.AsSpan()[1..].SequenceEqual(first.Shape.AsSpan()[1..])))
        {
            return tensor;
        }
        var rows = tensor.Stored.Min(s => s.Shape[0]);
        problems.Add(new Diagnostic($"only its first {rows} rows are merged, as its shape differs between the models")
        {
            Severity = Severity.Warning,
            Where = tensor.Name,
            Fix = "Use 'tokenizer: {source: union}' to bring rows together by their tokens.",
        });
        return tensor with { Stored = [.. tensor.Stored.Select(s => MappedTensor.Of(RowMap.FirstRows(0, rows), [s]))] };
    }

    /// <summary>The models, by index, that take part in a tensor; fewer than all where skipping is allowed.</summary>
    /// <param name="tensor">The tensor; the base's place is the last, where there is one.</param>
    /// <param name="models">Whose it is.</param>
    /// <param name="hasBase">Whether the last is the base.</param>
    /// <param name="allowed">What the user chose.</param>
    /// <param name="problems">Where a warning goes.</param>
    public static int[] Keep(
        MatchedTensor tensor,
        IReadOnlyList<PlannedModel> models,
        bool hasBase,
        OnMismatch allowed,
        List<Diagnostic> problems)
    {
        int[] all = [.. Enumerable.Range(0, models.Count - (hasBase ? 1 : 0))];
        if (!allowed.HasFlag(OnMismatch.SkipModel) || AllAlike(tensor))
            return all;
        var reference = tensor.Stored[hasBase ? ^1 : 0].Shape;
        int[] kept = [.. all.Where(i => tensor.Stored[i].Shape.AsSpan().SequenceEqual(reference.AsSpan()))];
        var skipped = all.Except(kept).Select(i => $"'{models[i].Text}' ([{string.Join(", ", tensor.Stored[i].Shape)}])");
        problems.Add(new Diagnostic($"left out of this tensor, as its shape differs: {string.Join(", ", skipped)}")
        {
            Severity = Severity.Warning,
            Where = tensor.Name,
            Expected = $"[{string.Join(", ", reference)}], as in '{models[hasBase ? ^1 : 0].Text}'",
        });
        return kept;
    }

    /// <summary>Whether a tensor is in no plan.</summary>
    public static bool LeavesOut(MatchedTensor tensor, OnMismatch allowed) =>
        allowed.HasFlag(OnMismatch.LeaveOut) && !AllAlike(tensor);

    private static bool AllAlike(MatchedTensor tensor) =>
        tensor.Stored.All(s => s.Shape.AsSpan().SequenceEqual(tensor.Stored[0].Shape.AsSpan()));
}

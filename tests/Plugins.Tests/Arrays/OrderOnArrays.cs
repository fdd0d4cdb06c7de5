using Merge.Sdk;

namespace Plugins.Tests.Arrays;

/// <summary>
/// Order, cuts and ranks by sorting: -0 equals +0, NaN is above all, of equal scores the lower index stays.
/// </summary>
internal static class OrderOnArrays
{
    public static int Compare(float a, float b) => (float.IsNaN(a), float.IsNaN(b)) switch
    {
        (true, true) => 0,
        (true, false) => 1,
        (false, true) => -1,
        _ => a < b ? -1 : a > b ? 1 : 0,
    };

    public static float[] Ascending(float[] values) => [.. values.Order(Comparer<float>.Create(Compare))];

    public static bool Keeps(Cut cut, float score, long index) =>
        Compare(score, cut.Value) is var order && (order > 0 || (order == 0 && index < cut.IndexLimit));

    public static Cut Largest(float[] scores, long keep)
    {
        if (keep <= 0)
            return Cut.KeepNone;
        if (keep >= scores.Length)
            return Cut.KeepAll;
        var last = Enumerable.Range(0, scores.Length)
            .OrderByDescending(i => scores[i], Comparer<float>.Create(Compare)) // stable: lower indices come first
            .ElementAt((int)keep - 1);
        return new Cut(scores[last], last + 1);
    }

    /// <summary>The largest scores of all tensors, laid end to end in the order of the request.</summary>
    public static void Complete(ModelLargestRequest request, List<TensorOnArrays> tensors)
    {
        var parts = request.Scores.Select(s => (s.Tensor.Info,
            Scores: tensors.Single(t => ReferenceEquals(t.Scan, s.Tensor)).Evaluate(s.Score))).ToList();
        var all = Largest([.. parts.SelectMany(p => p.Scores)], request.Keep);
        var cuts = new Dictionary<string, Cut>();
        long offset = 0;
        foreach (var (info, scores) in parts)
        {
            cuts.Add(info.Name, all with { IndexLimit = Math.Max(0, all.IndexLimit - offset) });
            offset += scores.Length;
        }
        request.Stat.Complete(new ModelCut(all.Value, cuts));
    }
}

namespace Plugins.Tests.Reference;

/// <summary>The curvature graft: one threshold a model over all of its tensors.</summary>
internal static class Grafting
{
    /// <param name="tensors">The tensors in the order of their names.</param>
    /// <param name="moments">Second moments of a model's tensor; null where it has none.</param>
    public static double[][] CurvatureGraft(
        IReadOnlyList<MergeCase> tensors, Func<int, int, float[]?> moments, double density, double epsilon)
    {
        var models = tensors[0].Models.Length;
        var keep = Math.Max(1, (int)(density * tensors.Sum(t => t.Count)));
        var sum = tensors.Select(t => new double[t.Count]).ToArray();
        var total = tensors.Select(t => new double[t.Count]).ToArray();
        for (var i = 0; i < models; i++)
        {
            var scored = new List<(float Score, int Tensor, int Element)>();
            for (var t = 0; t < tensors.Count; t++)
            {
                if (moments(t, i) is not { } v)
                    continue;
                var delta = tensors[t].Delta(i);
                for (var e = 0; e < delta.Length; e++)
                    scored.Add((v[e] * (delta[e] * delta[e]), t, e));
            }
            // A stable sort: of equal scores the first stays.
            foreach (var (_, t, e) in scored.OrderByDescending(s => s.Score).Take(keep))
            {
                var weight = Math.Sqrt(moments(t, i)![e]) + epsilon;
                sum[t][e] += weight * tensors[t].Delta(i)[e];
                total[t][e] += weight;
            }
        }
        return [.. tensors.Select((c, t) => Enumerable.Range(0, c.Count)
            .Select(e => c.Base[e] + (total[t][e] > 0 ? sum[t][e] / total[t][e] : 0)).ToArray())];
    }
}

namespace Plugins.Tests.Reference;

/// <summary>Task arithmetic, TIES and DELLA over whole arrays. What decides (order, sign) is float32.</summary>
internal static class TaskVectorMethods
{
    public static double[] TaskArithmetic(MergeCase c, bool normalize, double lambda)
    {
        var result = new double[c.Count];
        var total = c.Weights.Sum();
        for (var e = 0; e < c.Count; e++)
        {
            var sum = 0.0;
            for (var i = 0; i < c.Models.Length; i++)
                sum += c.Weights[i] * ((double)c.Models[i][e] - c.Base[e]);
            result[e] = c.Base[e] + (lambda * (normalize ? sum / total : sum));
        }
        return result;
    }

    public static double[] Ties(MergeCase c, double density, bool normalize, double lambda)
    {
        var kept = density >= 1 ? c.Count : (int)Math.Floor(density * c.Count);
        return Elect(c, i => KeepLargest(c.Delta(i), kept), normalize, lambda);
    }

    /// <param name="uniform">The draw of a model: one number in [0, 1) an element.</param>
    public static double[] Della(MergeCase c, double density, double epsilon, Func<int, float[]> uniform)
    {
        return Elect(c, i => Rescale(c.Delta(i), Drop(c.Delta(i), uniform(i))), normalize: true, lambda: 1);

        float[] Drop(float[] delta, float[] draw)
        {
            var axis = c.Shape.Length < 2 ? 0 : 1;
            var length = c.Shape.Length == 0 ? 1 : (int)c.Shape[axis];
            var stride = (int)c.Shape.Skip(axis + 1).Aggregate(1L, (a, b) => a * b);
            var result = new float[delta.Length];
            for (var e = 0; e < delta.Length; e++)
            {
                var place = e / stride % length;
                var rank = 0;
                for (var k = 0; k < length; k++)
                {
                    var other = Math.Abs(delta[e + ((k - place) * stride)]);
                    if (other < Math.Abs(delta[e]) || (other == Math.Abs(delta[e]) && k < place))
                        rank++;
                }
                var keep = length == 1 ? density : density - epsilon + (2 * epsilon * rank / (length - 1));
                result[e] = draw[e] < keep ? delta[e] : 0;
            }
            return result;
        }
    }

    private static float[] Rescale(float[] before, float[] after)
    {
        var (l1Before, l1After) = (before.Sum(x => Math.Abs((double)x)), after.Sum(x => Math.Abs((double)x)));
        if (l1Before < 1e-7 || l1After < 1e-7)
            return after;
        return [.. after.Select(x => (float)(x * (l1Before / l1After)))];
    }

    private static float[] KeepLargest(float[] delta, int kept)
    {
        var result = new float[delta.Length];
        var order = Enumerable.Range(0, delta.Length).OrderByDescending(e => Math.Abs(delta[e])).ThenBy(e => e);
        foreach (var e in order.Take(kept))
            result[e] = delta[e];
        return result;
    }

    private static double[] Elect(MergeCase c, Func<int, float[]> sparse, bool normalize, double lambda)
    {
        var values = Enumerable.Range(0, c.Models.Length)
            .Select(i => sparse(i).Select(d => (float)c.Weights[i] * d).ToArray()).ToArray();
        var result = new double[c.Count];
        for (var e = 0; e < c.Count; e++)
        {
            var signSum = 0f;
            foreach (var value in values)
                signSum += value[e];
            var sign = signSum >= 0 ? 1 : -1;
            var (sum, divisor) = (0.0, 0.0);
            for (var i = 0; i < values.Length; i++)
            {
                if (Math.Sign(values[i][e]) != sign)
                    continue;
                sum += values[i][e];
                divisor += c.Weights[i];
            }
            result[e] = c.Base[e] + (lambda * (normalize && divisor != 0 ? sum / divisor : sum));
        }
        return result;
    }
}

namespace Plugins.Tests.Reference;

/// <summary>What is left of a task vector, and what it is multiplied by.</summary>
internal readonly record struct Sparse(float[] Values, double Factor = 1);

/// <summary>Task arithmetic and TIES with its relatives over whole arrays. What decides (order, sign) is float32.</summary>
internal static class TaskVectorMethods
{
    public static double[] TaskArithmetic(MergeCase c, bool normalize, double lambda) =>
        Added(c, i => new Sparse(c.Delta(i)), normalize, lambda);

    /// <summary>The ⌊density·N⌋ largest; of equal ones the first.</summary>
    public static Sparse Trimmed(MergeCase c, int model, double density) =>
        Kept(c.Delta(model), order => order.Take(density >= 1 ? c.Count : (int)Math.Floor(density * c.Count)));

    /// <summary>Neither the largest nor the smallest.</summary>
    public static Sparse Crumbs(MergeCase c, int model, double density, double gamma)
    {
        var target = density >= 1 ? c.Count : (int)Math.Floor(density * c.Count);
        var top = (int)Math.Floor(gamma * c.Count);
        var bottom = c.Count - target - top;
        if (bottom < 0)
            (top, bottom) = (top + bottom, 0);
        return Kept(c.Delta(model), order => order.Skip(top).SkipLast(bottom));
    }

    /// <param name="draw">One number in [0, 1) an element.</param>
    public static Sparse Dropped(MergeCase c, int model, double density, float[] draw) =>
        new([.. c.Delta(model).Select((x, e) => draw[e] < (float)density ? x : 0)]);

    /// <param name="draw">One number in [0, 1) an element.</param>
    public static Sparse DroppedByRank(MergeCase c, int model, double density, double epsilon, float[] draw)
    {
        var delta = c.Delta(model);
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
            var keep = length == 1 || density >= 1 ? density : density - epsilon + (2 * epsilon * rank / (length - 1));
            result[e] = draw[e] < keep ? delta[e] : 0;
        }
        return new Sparse(result);
    }

    /// <summary>With the L1 norm it had.</summary>
    public static Sparse Rescaled(MergeCase c, int model, Sparse masked)
    {
        var (before, after) = (L1(c.Delta(model)), L1(masked.Values));
        return masked with { Factor = before < 1e-7 || after < 1e-7 ? 1 : before / after };
    }

    public static double L1(IEnumerable<float> values) => values.Sum(x => Math.Abs((double)x));

    /// <summary>Everything added up.</summary>
    public static double[] Added(MergeCase c, Func<int, Sparse> sparse, bool normalize, double lambda)
    {
        Sparse[] parts = [.. Enumerable.Range(0, c.Models.Length).Select(sparse)];
        var total = normalize ? c.Weights.Sum() : 1;
        return [.. c.Base.Select((theta0, e) => theta0
            + (lambda * parts.Zip(c.Weights, (p, w) => w * p.Factor * p.Values[e]).Sum() / total))];
    }

    /// <summary>What agrees with the elected sign added up.</summary>
    public static double[] Elected(MergeCase c, Func<int, Sparse> sparse, bool normalize, double lambda)
    {
        var values = Enumerable.Range(0, c.Models.Length).Select(sparse)
            .Select((p, i) => p.Values.Select(d => (float)(c.Weights[i] * p.Factor) * d).ToArray()).ToArray();
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

    private static Sparse Kept(float[] delta, Func<IEnumerable<int>, IEnumerable<int>> choose)
    {
        var result = new float[delta.Length];
        var order = Enumerable.Range(0, delta.Length).OrderByDescending(e => Math.Abs(delta[e])).ThenBy(e => e);
        foreach (var e in choose(order))
            result[e] = delta[e];
        return new Sparse(result);
    }
}

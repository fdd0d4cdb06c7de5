namespace Plugins.Tests.Reference;

/// <summary>The element-wise methods and Model Stock, one element after the other. What decides is float32.</summary>
internal static class Selective
{
    public static double[] Ram(MergeCase c, double epsilon, double r, double alpha)
    {
        var deltas = c.Models.Select((_, i) => c.Delta(i)).ToArray();
        var (shared, unique) = (new int[deltas.Length], new int[deltas.Length]);
        var active = Enumerable.Range(0, c.Count).Select(e =>
            Enumerable.Range(0, deltas.Length).Where(i => Math.Abs(deltas[i][e]) > (float)epsilon).ToArray()).ToArray();
        foreach (var models in active)
        {
            foreach (var i in models)
                (models.Length == 1 ? unique : shared)[i]++;
        }
        return [.. active.Select((models, e) => c.Base[e] + models.Length switch
        {
            0 => 0,
            1 => deltas[models[0]][e]
                * (1 + (r * Math.Clamp(shared[models[0]] / (double)unique[models[0]], 0, alpha))),
            _ => models.Average(i => (double)deltas[i][e]),
        })];
    }

    public static double[] Nearswap(MergeCase c, double t) => [.. c.Base.Zip(c.Models[0], (x, y) =>
        x + (Math.Clamp(t / Math.Max(Math.Abs((double)x - y), 1e-6), 0, 1) * ((double)y - x)))];

    public static double[] Sce(MergeCase c, double topk)
    {
        var n = c.Models.Length;
        var deltas = Enumerable.Range(0, n).Select(c.Delta).ToArray();
        float[] variances = [.. Enumerable.Range(0, c.Count).Select(e => Variance([.. deltas.Select(d => d[e])]))];
        var keep = topk >= 1 ? c.Count : (int)(topk * variances.Count(v => v > 0));
        foreach (var e in Enumerable.Range(0, c.Count).OrderByDescending(e => variances[e]).Skip(keep))
        {
            foreach (var delta in deltas)
                delta[e] = 0;
        }
        double[] squares = [.. deltas.Select(d => d.Average(x => (double)x * x))];
        var sum = squares.Sum();
        double[] weights = [.. squares.Select(s => sum < 1e-6 ? 1.0 / n : s / sum)];
        var result = new double[c.Count];
        for (var e = 0; e < c.Count; e++)
        {
            var sign = deltas.Sum(d => (double)d[e]) >= 0 ? 1 : -1;
            int[] agreeing = [.. Enumerable.Range(0, n).Where(i => Math.Sign(deltas[i][e]) == sign)];
            result[e] = c.Base[e] + (agreeing.Sum(i => weights[i] * deltas[i][e])
                / Math.Max(agreeing.Sum(i => weights[i]), 1e-6));
        }
        return result;
    }

    public static double[] ModelStock(MergeCase c, bool filterWise)
    {
        var n = c.Models.Length;
        var deltas = Enumerable.Range(0, n).Select(c.Delta).ToArray();
        var row = filterWise && c.Shape.Length > 0 ? (int)c.Shape[^1] : c.Count;
        var result = new double[c.Count];
        foreach (var places in Enumerable.Range(0, c.Count).Chunk(row))
        {
            var cosines = new List<double>();
            for (var i = 0; i < n; i++)
            {
                for (var j = i + 1; j < n; j++)
                {
                    double[] a = [.. places.Select(p => (double)deltas[i][p])];
                    double[] b = [.. places.Select(p => (double)deltas[j][p])];
                    cosines.Add(Math.Clamp(
                        Spherical.Dot(a, b) / Math.Max(Spherical.Norm(a) * Spherical.Norm(b), 1e-6), -1, 1));
                }
            }
            var cosine = cosines.Average();
            var divisor = 1 + ((n - 1) * cosine);
            var t = Math.Abs(divisor) < 1e-6 ? 0 : n * cosine / divisor;
            foreach (var p in places)
                result[p] = (t * c.Models.Average(m => (double)m[p])) + ((1 - t) * c.Base[p]);
        }
        return result;
    }

    /// <summary>Importance of every element and the threshold over them.</summary>
    public static (double[] Importance, double Threshold) Fusion(MergeCase c)
    {
        var importance = new double[c.Count];
        foreach (var places in Enumerable.Range(0, c.Count).Chunk(c.Shape.Length == 0 ? 1 : (int)c.Shape[^1]))
        {
            var (p, q) = (Softmax(c.Models[0]), Softmax(c.Base));
            var divergence = p.Zip(q, (x, y) => x * Math.Log(x / y)).Sum();
            foreach (var e in places)
                importance[e] = Math.Abs((double)c.Models[0][e] - c.Base[e]) * divergence;

            double[] Softmax(float[] values)
            {
                double[] raised = [.. places.Select(e => Math.Exp(values[e]))];
                return [.. raised.Select(x => (x / raised.Sum()) + 1e-8)];
            }
        }
        double[] sorted = [.. importance.Order()];
        return (importance, At(0.5) + (1.5 * (At(0.75) - At(0.25))));

        double At(double quantile) => sorted[(int)Math.Floor(quantile * (sorted.Length - 1))];
    }

    private static float Variance(float[] values)
    {
        float[] shifted = [.. values.Select(v => v - values[0])];
        var mean = shifted.Aggregate((x, y) => x + y) / values.Length;
        return shifted.Select(v => (v - mean) * (v - mean)).Aggregate((x, y) => x + y) / values.Length;
    }
}

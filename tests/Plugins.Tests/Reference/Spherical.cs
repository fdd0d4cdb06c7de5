namespace Plugins.Tests.Reference;

/// <summary>The spherical methods by their definitions, over whole arrays in float64: no Gram matrix.</summary>
internal static class Spherical
{
    public static double[] Slerp(MergeCase c, double t)
    {
        var (a, b) = (Normalised(c.Base), Normalised(c.Models[0]));
        var cosine = Dot(a, b);
        var (c0, c1) = (1 - t, t);
        if (Math.Abs(cosine) <= 0.9995)
        {
            var angle = Math.Acos(cosine);
            (c0, c1) = (Math.Sin((1 - t) * angle) / Math.Sin(angle), Math.Sin(t * angle) / Math.Sin(angle));
        }
        return [.. c.Base.Zip(c.Models[0], (x, y) => (c0 * x) + (c1 * y))];
    }

    /// <param name="axis">Null: the whole tensor is one vector.</param>
    public static double[] NuSlerp(MergeCase c, bool onBase, int? axis)
    {
        var (x, y) = (Vector(c, 0, onBase), Vector(c, 1, onBase));
        var t = c.Weights[1] / (c.Weights[0] + c.Weights[1]);
        var result = new double[c.Count];
        foreach (var places in Places(c, axis))
        {
            var (a, b) = (Unit(places.Select(p => x[p]), 1e-7), Unit(places.Select(p => y[p]), 1e-7));
            var cosine = Math.Clamp(Dot(a, b), -1, 1);
            var angle = Math.Acos(cosine);
            foreach (var p in places)
            {
                var merged = 1 - Math.Abs(cosine) < 1e-6
                    ? ((1 - t) * x[p]) + (t * y[p])
                    : ((Math.Sin((1 - t) * angle) * x[p]) + (Math.Sin(t * angle) * y[p])) / Math.Sin(angle);
                result[p] = merged + (onBase ? c.Base[p] : 0);
            }
        }
        return result;
    }

    /// <summary>
    /// As mergekit goes: to the mean direction, into its tangent space, and back by the exponential map.
    /// </summary>
    /// <returns>Null where the directions cancel.</returns>
    public static double[]? MultiSlerp(MergeCase c, bool onBase)
    {
        const double epsilon = 1e-8;
        var vectors = c.Models.Select((_, i) => Vector(c, i, onBase)).ToArray();
        double[] weights = [.. c.Weights.Select(w => w / c.Weights.Sum())];
        double[] norms = [.. vectors.Select(Norm)];
        var units = vectors.Select((v, i) => v.Select(x => x / (norms[i] + epsilon)).ToArray()).ToArray();
        var mean = Sum(units, weights);
        var length = Norm(mean);
        if (length < 1e-3)
            return null;
        mean = [.. mean.Select(x => x / length)];
        var tangents = units.Select(u =>
        {
            var dot = Dot(u, mean);
            return u.Zip(mean, (x, m) => x - (dot * m)).ToArray();
        }).ToArray();
        var tangent = Sum(tangents, weights);
        var angle = Norm(tangent) + epsilon;
        var scale = norms.Zip(weights, (n, w) => n * w).Sum();
        return [.. mean.Select((m, e) =>
            (scale * ((m * Math.Cos(angle)) + (tangent[e] * Math.Sin(angle) / angle))) + (onBase ? c.Base[e] : 0))];
    }

    public static double[] Karcher(MergeCase c, int steps, double tolerance)
    {
        double[] norms = [.. c.Models.Select((_, i) => Norm(Vector(c, i, false)))];
        var units = c.Models.Select((m, i) => (Values: m, Norm: norms[i])).Where(m => m.Norm > tolerance)
            .Select(m => m.Values.Select(x => x / m.Norm).ToArray()).ToArray();
        if (units.Length == 0)
            return new double[c.Count];
        var mean = Sum(units, [.. units.Select(_ => 1.0 / units.Length)]);
        var point = Norm(mean) < tolerance ? units[0] : Unit(mean, 0);
        for (var step = 0; step < steps; step++)
        {
            var tangent = KarcherGradient(point, units, tolerance);
            var length = Norm(tangent);
            if (length < tolerance)
                break;
            point = Unit(point.Zip(tangent, (u, t) => (Math.Cos(length) * u) + (Math.Sin(length) * t / length)), 0);
        }
        return [.. point.Select(x => x * norms.Average())];
    }

    /// <summary>Minus half the gradient of the mean squared arc from a point of the sphere to unit vectors.</summary>
    public static double[] KarcherGradient(double[] point, double[][] units, double tolerance)
    {
        var tangent = new double[point.Length];
        foreach (var unit in units)
        {
            var cosine = Math.Clamp(Dot(point, unit), -1, 1);
            var angle = Math.Acos(cosine);
            if (angle < tolerance || Math.PI - angle < tolerance)
                continue;
            for (var e = 0; e < point.Length; e++)
                tangent[e] += angle / Math.Sin(angle) * (unit[e] - (cosine * point[e])) / units.Length;
        }
        return tangent;
    }

    public static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(x => x * x));

    public static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    public static double[] Unit(IEnumerable<double> values, double shortest)
    {
        double[] all = [.. values];
        var norm = Math.Max(Norm(all), shortest);
        return [.. all.Select(x => x / norm)];
    }

    private static double[] Vector(MergeCase c, int model, bool onBase) =>
        [.. c.Models[model].Zip(c.Base, (x, b) => onBase ? (double)x - b : x)];

    private static double[] Sum(double[][] vectors, double[] weights) =>
        [.. vectors[0].Select((_, e) => vectors.Zip(weights, (v, w) => v[e] * w).Sum())];

    private static double[] Normalised(float[] values)
    {
        var norm = Math.Sqrt(values.Sum(x => (double)x * x));
        return [.. values.Select(x => norm > 1e-8 ? x / norm : x)];
    }

    private static IEnumerable<int[]> Places(MergeCase c, int? axis)
    {
        var all = Enumerable.Range(0, c.Count);
        if (axis is null || c.Shape.Length == 0)
            return [[.. all]];
        var along = axis.Value < 0 ? c.Shape.Length + axis.Value : axis.Value;
        var length = (int)c.Shape[along];
        var stride = (int)c.Shape.Skip(along + 1).Aggregate(1L, (a, b) => a * b);
        return all.GroupBy(e => (e / (stride * length), e % stride)).Select(g => g.ToArray());
    }
}

namespace Plugins.Tests.Reference;

/// <summary>SLERP by its definition: the angle between the normalised tensors.</summary>
internal static class Spherical
{
    public static double[] Slerp(MergeCase c, double t)
    {
        var (a, b) = (Normalised(c.Base), Normalised(c.Models[0]));
        var cosine = 0.0;
        for (var e = 0; e < a.Length; e++)
            cosine += a[e] * b[e];
        var (c0, c1) = (1 - t, t);
        if (Math.Abs(cosine) <= 0.9995)
        {
            var angle = Math.Acos(cosine);
            (c0, c1) = (Math.Sin((1 - t) * angle) / Math.Sin(angle), Math.Sin(t * angle) / Math.Sin(angle));
        }
        return [.. c.Base.Zip(c.Models[0], (x, y) => (c0 * x) + (c1 * y))];
    }

    private static double[] Normalised(float[] values)
    {
        var norm = Math.Sqrt(values.Sum(x => (double)x * x));
        return [.. values.Select(x => norm > 1e-8 ? x / norm : x)];
    }
}

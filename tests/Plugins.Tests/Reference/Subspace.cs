namespace Plugins.Tests.Reference;

/// <summary>Iso-C of a matrix by one-sided Jacobi: no library, no Gram matrix of the whole.</summary>
internal static class Subspace
{
    public static double[] IsoC(MergeCase c, double lambda)
    {
        var (m, n) = ((int)c.Shape[0], (int)c.Shape[1]);
        var deltas = Enumerable.Range(0, c.Models.Length).Select(c.Delta).ToArray();
        var sum = new double[m, n];
        for (var e = 0; e < c.Count; e++)
            sum[e / n, e % n] = deltas.Sum(d => (double)d[e]);
        var (u, sigma, v) = Svd(m >= n ? sum : Transpose(sum));
        var mean = sigma.Average();
        var result = new double[c.Count];
        for (var e = 0; e < c.Count; e++)
        {
            var (row, column) = m >= n ? (e / n, e % n) : (e % n, e / n);
            var element = 0.0;
            for (var k = 0; k < sigma.Length; k++)
                element += u[row, k] * v[column, k];
            result[e] = c.Base[e] + (lambda * mean * element);
        }
        return result;
    }

    /// <summary>Rotates pairs of columns until all are orthogonal; A is m×n with m ≥ n and of full rank.</summary>
    private static (double[,] U, double[] Sigma, double[,] V) Svd(double[,] a)
    {
        var (m, n) = (a.GetLength(0), a.GetLength(1));
        var u = (double[,])a.Clone();
        var v = new double[n, n];
        for (var j = 0; j < n; j++)
            v[j, j] = 1;
        for (var sweep = 0; sweep < 60; sweep++)
        {
            for (var p = 0; p < n; p++)
            {
                for (var q = p + 1; q < n; q++)
                {
                    var (pp, qq, pq) = (Dot(u, p, p), Dot(u, q, q), Dot(u, p, q));
                    if (Math.Abs(pq) <= 1e-15 * Math.Sqrt(pp * qq))
                        continue;
                    var zeta = (qq - pp) / (2 * pq);
                    var tangent = (zeta >= 0 ? 1 : -1) / (Math.Abs(zeta) + Math.Sqrt(1 + (zeta * zeta)));
                    var cosine = 1 / Math.Sqrt(1 + (tangent * tangent));
                    Rotate(u, p, q, cosine, cosine * tangent);
                    Rotate(v, p, q, cosine, cosine * tangent);
                }
            }
        }
        double[] sigma = [.. Enumerable.Range(0, n).Select(j => Math.Sqrt(Dot(u, j, j)))];
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
                u[i, j] /= sigma[j];
        }
        return (u, sigma, v);
    }

    private static double Dot(double[,] a, int p, int q) =>
        Enumerable.Range(0, a.GetLength(0)).Sum(i => a[i, p] * a[i, q]);

    private static void Rotate(double[,] a, int p, int q, double cosine, double sine)
    {
        for (var i = 0; i < a.GetLength(0); i++)
            (a[i, p], a[i, q]) = ((cosine * a[i, p]) - (sine * a[i, q]), (sine * a[i, p]) + (cosine * a[i, q]));
    }

    private static double[,] Transpose(double[,] a)
    {
        var result = new double[a.GetLength(1), a.GetLength(0)];
        for (var i = 0; i < a.GetLength(0); i++)
        {
            for (var j = 0; j < a.GetLength(1); j++)
                result[j, i] = a[i, j];
        }
        return result;
    }
}

using Merge.Sdk;

namespace Merge.Reports;

/// <summary>Models as points of a plane.</summary>
/// <param name="Points">One a model, around their mean, in units of the weights' Euclidean norm.</param>
/// <param name="Shares">What share of the squared distances from the mean each of the two axes explains.</param>
internal sealed record PlaneMap(IReadOnlyList<(double X, double Y)> Points, (double X, double Y) Shares);

/// <summary>
/// Classical multidimensional scaling (Torgerson 1952): B = −½ H D² H = H G H for a Gram matrix G, with H the centring
/// matrix; the coordinates are √λ·v of the two largest eigenvalues of B.
/// </summary>
internal static class ClassicalMds
{
    /// <summary>The plane that keeps most of the distances; null where the products are not finite.</summary>
    public static PlaneMap? Of(Matrix gram, ILinearAlgebra algebra)
    {
        var centred = Centred(gram);
        for (var i = 0; i < centred.Rows; i++)
        {
            foreach (var product in centred.Row(i))
            {
                if (!double.IsFinite(product))
                    return null;
            }
        }
        var (values, vectors) = algebra.SymmetricEigen(centred);
        var total = values.Where(v => v > 0).Sum();
        var axes = Enumerable.Range(1, 2).Select(k => values.Length - k).ToArray();
        double Length(int k) => k < 0 ? 0 : Math.Sqrt(Math.Max(values[k], 0));
        double Share(int k) => k < 0 || total == 0 ? 0 : Math.Max(values[k], 0) / total;
        double At(int i, int k) => k < 0 ? 0 : Length(k) * vectors[i, k];
        return new(
            [.. Enumerable.Range(0, gram.Rows).Select(i => (At(i, axes[0]), At(i, axes[1])))],
            (Share(axes[0]), Share(axes[1])));
    }

    /// <summary>H·G·H: inner products around the mean of the points.</summary>
    public static Matrix Centred(Matrix gram)
    {
        var n = gram.Rows;
        var means = Enumerable.Range(0, n).Select(i => Mean(gram.Row(i))).ToArray();
        var mean = Mean(means);
        var centred = new Matrix(n, n);
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
                centred[i, j] = gram[i, j] - means[i] - means[j] + mean;
        }
        return centred;
    }

    /// <summary>Cosine of the angle between two points seen from the origin; NaN where one is the origin.</summary>
    public static double Cosine(Matrix gram, int i, int j) => i == j && gram[i, i] > 0
        ? 1
        : Math.Clamp(gram[i, j] / Math.Sqrt(gram[i, i] * gram[j, j]), -1, 1);

    /// <summary>Euclidean distance of two points.</summary>
    public static double Distance(Matrix gram, int i, int j) =>
        Math.Sqrt(Math.Max(gram[i, i] - (2 * gram[i, j]) + gram[j, j], 0));

    private static double Mean(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value;
        return sum / values.Length;
    }
}

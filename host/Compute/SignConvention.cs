using Merge.Sdk;

namespace Merge.Compute;

/// <summary>
/// The signs that a decomposition leaves open, fixed: the entry of largest magnitude in a column of U, or of the
/// eigenvectors, is positive, and the diagonal of R is not negative.
/// </summary>
internal static class SignConvention
{
    public static void Apply(Svd svd)
    {
        foreach (var k in Turned(svd.U))
            Negate(svd.Vt.Row(k));
    }

    public static void Apply(Matrix eigenvectors) => Turned(eigenvectors);

    public static void Apply(Matrix q, Matrix r)
    {
        for (var k = 0; k < r.Rows; k++)
        {
            if (r[k, k] >= 0)
                continue;
            Negate(r.Row(k)[k..]);
            for (var i = 0; i < q.Rows; i++)
                q[i, k] = -q[i, k];
        }
    }

    /// <summary>Turns columns round, row by row, as the matrix lies; gives their numbers.</summary>
    private static int[] Turned(Matrix matrix)
    {
        var largest = new double[matrix.Columns];
        for (var i = 0; i < matrix.Rows; i++)
        {
            var row = matrix.Row(i);
            for (var j = 0; j < row.Length; j++)
            {
                if (Math.Abs(row[j]) > Math.Abs(largest[j]))
                    largest[j] = row[j];
            }
        }
        int[] turned = [.. Enumerable.Range(0, matrix.Columns).Where(j => largest[j] < 0)];
        for (var i = 0; i < matrix.Rows && turned.Length > 0; i++)
        {
            var row = matrix.Row(i);
            foreach (var j in turned)
                row[j] = -row[j];
        }
        return turned;
    }

    private static void Negate(Span<double> values)
    {
        foreach (ref var value in values)
            value = -value;
    }
}

using Merge.Sdk;

namespace Merge.Plugin.Subspace;

/// <summary>Singular triples, one a column of U and of V.</summary>
/// <param name="U">m×k.</param>
/// <param name="Sigma">k of them.</param>
/// <param name="V">n×k.</param>
internal sealed record Triples(Matrix U, double[] Sigma, Matrix V)
{
    /// <summary>Those with the largest σ.</summary>
    public static Triples Top(Svd svd, int count) =>
        new(Columns(svd.U, count), svd.Sigma[..count], Columns(svd.Vt.Transpose(), count));

    /// <summary>All of them, in order.</summary>
    public static Triples SideBySide(IReadOnlyList<Triples> parts) => new(
        Join([.. parts.Select(p => p.U)]), [.. parts.SelectMany(p => p.Sigma)], Join([.. parts.Select(p => p.V)]));

    /// <summary>Every column times the same factor.</summary>
    public static Matrix Scale(Matrix matrix, double factor) =>
        ScaleColumns(matrix, [.. Enumerable.Repeat(factor, matrix.Columns)]);

    /// <summary>M·diag(factors).</summary>
    public static Matrix ScaleColumns(Matrix matrix, double[] factors)
    {
        var scaled = new Matrix(matrix.Rows, matrix.Columns);
        for (var i = 0; i < matrix.Rows; i++)
        {
            for (var k = 0; k < factors.Length; k++)
                scaled[i, k] = matrix[i, k] * factors[k];
        }
        return scaled;
    }

    private static Matrix Columns(Matrix matrix, int count)
    {
        var first = new Matrix(matrix.Rows, count);
        for (var i = 0; i < matrix.Rows; i++)
            matrix.Row(i)[..count].CopyTo(first.Row(i));
        return first;
    }

    private static Matrix Join(Matrix[] parts)
    {
        var joined = new Matrix(parts[0].Rows, parts.Sum(p => p.Columns));
        for (var i = 0; i < joined.Rows; i++)
        {
            var at = 0;
            foreach (var part in parts)
            {
                part.Row(i).CopyTo(joined.Row(i)[at..]);
                at += part.Columns;
            }
        }
        return joined;
    }
}

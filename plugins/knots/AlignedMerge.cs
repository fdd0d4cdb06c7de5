using Merge.Sdk;

namespace Merge.Plugin.Knots;

/// <summary>Merges blocks V_i, n×r each, element by element.</summary>
internal static class AlignedMerge
{
    /// <summary>
    /// TIES on trim(V_i) (x_i = w_i·trim(V_i); the sign of Σ x_i, + where it is 0; the x_i that agree, divided by
    /// the sum of their w_i, 0 counting as 1).
    /// </summary>
    public static Matrix Elected(IReadOnlyList<Matrix> v, IReadOnlyList<double> weights, PerModel<double> density)
    {
        var trimmed = Trimmed(v, density);
        var merged = new Matrix(v[0].Rows, v[0].Columns);
        for (var i = 0; i < merged.Rows; i++)
        {
            for (var k = 0; k < merged.Columns; k++)
            {
                var sum = 0.0;
                for (var m = 0; m < v.Count; m++)
                    sum += weights[m] * trimmed[m][i, k];
                var sign = sum >= 0 ? 1 : -1;
                var (agreed, divisor) = (0.0, 0.0);
                for (var m = 0; m < v.Count; m++)
                {
                    var x = weights[m] * trimmed[m][i, k];
                    if (sign * x <= 0)
                        continue;
                    agreed += x;
                    divisor += weights[m];
                }
                merged[i, k] = agreed / (divisor == 0 ? 1 : divisor);
            }
        }
        return merged;
    }

    /// <summary>Σ w_i·trim(V_i).</summary>
    public static Matrix Sum(IReadOnlyList<Matrix> v, IReadOnlyList<double> weights, PerModel<double> density)
    {
        var trimmed = Trimmed(v, density);
        var merged = new Matrix(v[0].Rows, v[0].Columns);
        for (var m = 0; m < v.Count; m++)
        {
            for (var i = 0; i < merged.Rows; i++)
            {
                for (var k = 0; k < merged.Columns; k++)
                    merged[i, k] += weights[m] * trimmed[m][i, k];
            }
        }
        return merged;
    }

    private static Matrix[] Trimmed(IReadOnlyList<Matrix> v, PerModel<double> density) =>
        [.. v.Select((block, i) => Trim(block, density[i]))];

    // The ⌊density·N⌋ largest magnitudes; of equal ones those that come first.
    private static Matrix Trim(Matrix block, double density)
    {
        var count = (long)block.Rows * block.Columns;
        var kept = (long)(density * count);
        if (kept >= count)
            return block;
        var order = new (double Magnitude, int Row, int Column)[count];
        var at = 0;
        for (var i = 0; i < block.Rows; i++)
        {
            for (var k = 0; k < block.Columns; k++)
                order[at++] = (-Math.Abs(block[i, k]), i, k);
        }
        Array.Sort(order);
        var trimmed = new Matrix(block.Rows, block.Columns);
        foreach (var (_, row, column) in order.AsSpan(0, (int)kept))
            trimmed[row, column] = block[row, column];
        return trimmed;
    }
}

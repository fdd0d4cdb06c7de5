namespace Merge.Sdk;

/// <summary>A float64 matrix in memory, row by row.</summary>
public sealed class Matrix
{
    /// <summary>A matrix of zeros.</summary>
    public Matrix(int rows, int columns)
        : this(rows, columns, new double[checked((long)rows * columns)])
    {
    }

    /// <summary>A matrix over values given row by row (not copied).</summary>
    public Matrix(int rows, int columns, double[] values)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(columns);
        if (values.LongLength != (long)rows * columns)
            throw new ArgumentException($"{values.LongLength} values for a {rows}×{columns} matrix", nameof(values));
        Rows = rows;
        Columns = columns;
        Values = values;
    }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Number of columns.</summary>
    public int Columns { get; }

    /// <summary>The element in a row and a column, both from 0.</summary>
    public double this[int row, int column]
    {
        get => Values[Index(row, column)];
        set => Values[Index(row, column)] = value;
    }

    /// <summary>A copy of some rows and columns: <c>u[.., ..k]</c> is the first k columns, <c>vt[..k, ..]</c> the first k rows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A range goes beyond the matrix.</exception>
    public Matrix this[Range rows, Range columns]
    {
        get
        {
            var (row, height) = rows.GetOffsetAndLength(Rows);
            var (column, width) = columns.GetOffsetAndLength(Columns);
            var part = new Matrix(height, width);
            for (var i = 0; i < height; i++)
                Row(row + i).Slice(column, width).CopyTo(part.Row(i));
            return part;
        }
    }

    internal double[] Values { get; }

    /// <summary>[M_1 … M_n]: matrices of equally many rows, side by side.</summary>
    /// <exception cref="ArgumentException">There is none, or they differ in their rows.</exception>
    public static Matrix SideBySide(params IReadOnlyList<Matrix> parts)
    {
        RefuseMisfit(parts, m => m.Rows, "rows");
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

    /// <summary>Matrices of equally many columns, one below the other.</summary>
    /// <exception cref="ArgumentException">There is none, or they differ in their columns.</exception>
    public static Matrix Stack(params IReadOnlyList<Matrix> parts)
    {
        RefuseMisfit(parts, m => m.Columns, "columns");
        var stacked = new Matrix(parts.Sum(p => p.Rows), parts[0].Columns);
        var at = 0;
        foreach (var part in parts)
        {
            part.Values.CopyTo(stacked.Values.AsSpan(at));
            at += part.Values.Length;
        }
        return stacked;
    }

    /// <summary>The elements of one row, to be read and written in place.</summary>
    public Span<double> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return Values.AsSpan(checked(row * Columns), Columns);
    }

    /// <summary>Rows and columns exchanged, a new matrix.</summary>
    public Matrix Transpose()
    {
        var result = new Matrix(Columns, Rows);
        for (var i = 0; i < Rows; i++)
        {
            for (var j = 0; j < Columns; j++)
                result.Values[((long)j * Rows) + i] = Values[((long)i * Columns) + j];
        }
        return result;
    }

    /// <summary>M·diag(factors), a new matrix: column k times factor k.</summary>
    /// <param name="factors">One a column; a decomposition's σ, for example.</param>
    /// <exception cref="ArgumentException">There are more or fewer factors than columns.</exception>
    public Matrix ScaleColumns(IReadOnlyList<double> factors)
    {
        if (factors.Count != Columns)
            throw new ArgumentException($"{factors.Count} factors for the columns of a {Rows}×{Columns} matrix", nameof(factors));
        var scaled = new Matrix(Rows, Columns);
        for (var i = 0; i < Rows; i++)
        {
            var from = Row(i);
            var to = scaled.Row(i);
            for (var k = 0; k < to.Length; k++)
                to[k] = from[k] * factors[k];
        }
        return scaled;
    }

    private static void RefuseMisfit(IReadOnlyList<Matrix> parts, Func<Matrix, int> size, string what)
    {
        if (parts.Count == 0)
            throw new ArgumentException("no matrix is given", nameof(parts));
        if (parts.Any(p => size(p) != size(parts[0])))
        {
            throw new ArgumentException(
                $"{string.Join(", ", parts.Select(p => $"{p.Rows}×{p.Columns}"))} matrices are put together: their {what} differ", nameof(parts));
        }
    }

    private long Index(int row, int column)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)Columns, nameof(column));
        return ((long)row * Columns) + column;
    }
}

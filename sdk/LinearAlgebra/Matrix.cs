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

    internal double[] Values { get; }

    /// <summary>The elements of one row.</summary>
    public Span<double> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        return Values.AsSpan(checked(row * Columns), Columns);
    }

    /// <summary>Rows and columns exchanged.</summary>
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

    private long Index(int row, int column)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)column, (uint)Columns, nameof(column));
        return ((long)row * Columns) + column;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>Values of an expression that come from no stream: computed tile by tile.</summary>
internal unsafe interface ILeaf
{
    void Fill(long start, int count, float* target);
}

internal sealed unsafe class UniformLeaf(ulong key, int stream) : ILeaf
{
    public ulong Key => key;

    public int Stream => stream;

    public void Fill(long start, int count, float* target) => Philox.Fill(key, stream, start, count, target);
}

internal sealed unsafe class RowVectorLeaf(float[] values, long rowLength) : ILeaf
{
    public float[] Values => values;

    public long RowLength => rowLength;

    public void Fill(long start, int count, float* target)
    {
        var row = start / rowLength;
        var left = rowLength - (start % rowLength);
        while (count > 0)
        {
            var run = (int)Math.Min(left, count);
            new Span<float>(target, run).Fill(values[row++]);
            target += run;
            count -= run;
            left = rowLength;
        }
    }
}

internal sealed unsafe class ColumnVectorLeaf(float[] values) : ILeaf
{
    public float[] Values => values;

    public void Fill(long start, int count, float* target)
    {
        var column = (int)(start % values.Length);
        while (count > 0)
        {
            var run = Math.Min(values.Length - column, count);
            values.AsSpan(column, run).CopyTo(new(target, run));
            target += run;
            count -= run;
            column = 0;
        }
    }
}

/// <summary>row_i · column_j, as a rank-1 second moment has it: written once, where two leaves would be written and read.</summary>
internal sealed unsafe class OuterLeaf(float[] rows, float[] columns) : ILeaf
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill(long start, int count, float* target)
    {
        var row = start / columns.Length;
        var column = (int)(start % columns.Length);
        fixed (float* all = columns)
        {
            while (count > 0)
            {
                var run = Math.Min(columns.Length - column, count);
                var factor = rows[row++];
                var values = all + column;
                var whole = run - (run % Vector<float>.Count);
                for (var i = 0; i < whole; i += Vector<float>.Count)
                    (factor * Vector.Load(values + i)).Store(target + i);
                for (var i = whole; i < run; i++)
                    target[i] = factor * values[i];
                target += run;
                count -= run;
                column = 0;
            }
        }
    }
}

internal sealed unsafe class MatrixLeaf(Matrix matrix) : ILeaf
{
    public Matrix Matrix => matrix;

    public void Fill(long start, int count, float* target)
    {
        for (var i = 0; i < count; i++)
            target[i] = (float)matrix.Values[start + i];
    }
}

/// <summary>B·A, every element summed in float64 over the rank in order, rounded once.</summary>
internal sealed unsafe class LowRankLeaf(Matrix b, Matrix a) : ILeaf
{
    public Matrix B => b;

    public Matrix A => a;

    private const int Piece = 512;

    public void Fill(long start, int count, float* target)
    {
        var sums = stackalloc double[Piece];
        while (count > 0)
        {
            var row = (int)(start / a.Columns);
            var column = (int)(start % a.Columns);
            var run = Math.Min(Math.Min(a.Columns - column, count), Piece);
            new Span<double>(sums, run).Clear();
            for (var k = 0; k < b.Columns; k++)
                Accumulate(b[row, k], a.Row(k).Slice(column, run), sums);
            for (var i = 0; i < run; i++)
                target[i] = (float)sums[i];
            target += run;
            start += run;
            count -= run;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Accumulate(double factor, ReadOnlySpan<double> values, double* sums)
    {
        var i = 0;
        for (; i <= values.Length - Vector<double>.Count; i += Vector<double>.Count)
            Vector.Store(Vector.Load(sums + i) + (new Vector<double>(values[i..]) * factor), sums + i);
        for (; i < values.Length; i++)
            sums[i] += values[i] * factor;
    }
}

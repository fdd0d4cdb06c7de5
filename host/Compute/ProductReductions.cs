using System.Numerics;
using System.Runtime.CompilerServices;
using Merge.Compute.Gpu;
using Merge.Sdk;

namespace Merge.Compute;

/// <summary>
/// X·R for a value X [m, n] and a matrix R [n, l], in float64. Every element of the product is one chain of fused
/// multiply-adds along a row, in order. Segments do not cut rows; blocks may.
/// </summary>
internal sealed unsafe class ProductReduction : Reduction
{
    private readonly TensorInfo _info;
    private readonly Node _value;
    private readonly PaddedMatrix _right;
    private readonly Matrix _product;
    private readonly Action<Matrix> _result;

    /// <param name="info">The tensor.</param>
    /// <param name="value">X.</param>
    /// <param name="right">R: as many rows as X has columns.</param>
    /// <param name="result">Takes the product.</param>
    public ProductReduction(TensorInfo info, Node value, Matrix right, Action<Matrix> result)
    {
        (_info, _value, _result) = (info, value, result);
        _right = new(right);
        _product = new(checked((int)info.RowCount), right.Columns);
    }

    public override IReadOnlyList<Node> Operands => [_value];

    public override bool IsForDevices => true;

    public override long SegmentUnit => _info.RowLength;

    public override long Bytes => _right.Bytes + (sizeof(double) * (long)_product.Rows * _product.Columns);

    public override long BytesPerSegment => sizeof(double) * _right.Width;

    public override IReductionPart Begin(long start, long end) => new Part(_info.RowLength, _right, _product);

    public override void Finish(IReadOnlyList<IReductionPart> parts) => _result(_product);

    private sealed class Part(long rowLength, PaddedMatrix right, Matrix product) : IDeviceReductionPart
    {
        private readonly double[] _row = new double[right.Width];

        public void Take(long start, int count, ReadOnlySpan<nint> operands)
        {
            var x = (float*)operands[0];
            for (var done = 0; done < count;)
            {
                var (row, column) = Math.DivRem(start + done, rowLength);
                var run = (int)Math.Min(rowLength - column, count - done);
                fixed (double* r = right.Values, sums = _row)
                {
                    for (var chunk = 0; chunk < right.Width; chunk += PaddedMatrix.Chunk)
                        AddRun(x + done, run, r + (column * right.Width) + chunk, right.Width, sums + chunk);
                }
                done += run;
                if (column + run == rowLength)
                    EndRow(row, _row);
            }
        }

        public void Take(long start, DeviceOperands operands)
        {
            var width = right.Width;
            for (var done = 0; done < operands.Count;)
            {
                var (column, rows, run) = RowRun.At(start + done, rowLength, long.MaxValue, operands.Count - done);
                var sums = rows == 1 ? _row : new double[rows * width];
                operands.AddProduct(
                    0, done, false, rows, run, right.Values.AsSpan((int)column * width, run * width), sums);
                for (var i = 0; i < rows && column + run == rowLength; i++)
                    EndRow(((start + done) / rowLength) + i, sums.AsSpan(i * width, width));
                done += rows * run;
            }
        }

        private void EndRow(long row, Span<double> sums)
        {
            sums[..product.Columns].CopyTo(product.Row((int)row));
            sums.Clear();
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void AddRun(float* x, int run, double* right, int width, double* sums)
        {
            if (Vector<double>.Count * 4 != PaddedMatrix.Chunk)
            {
                for (var j = 0; j < run; j++, right += width)
                {
                    for (var c = 0; c < PaddedMatrix.Chunk; c++)
                        sums[c] = Math.FusedMultiplyAdd(x[j], right[c], sums[c]);
                }
                return;
            }
            var (s0, s1, s2, s3) =
                (Vector.Load(sums), Vector.Load(sums + 4), Vector.Load(sums + 8), Vector.Load(sums + 12));
            for (var j = 0; j < run; j++, right += width)
            {
                var f = new Vector<double>(x[j]);
                s0 = Vector.FusedMultiplyAdd(f, Vector.Load(right), s0);
                s1 = Vector.FusedMultiplyAdd(f, Vector.Load(right + 4), s1);
                s2 = Vector.FusedMultiplyAdd(f, Vector.Load(right + 8), s2);
                s3 = Vector.FusedMultiplyAdd(f, Vector.Load(right + 12), s3);
            }
            Vector.Store(s0, sums);
            Vector.Store(s1, sums + 4);
            Vector.Store(s2, sums + 8);
            Vector.Store(s3, sums + 12);
        }
    }
}

/// <summary>
/// Xᵀ·L for a value X [m, n] and a matrix L [m, l], in float64. Some rows (their number is fixed by the shape) are added
/// in order, such groups pairwise.
/// </summary>
internal sealed unsafe class TransposedProductReduction : Reduction
{
    private const long SmallestGroup = 1 << 20;

    private readonly TensorInfo _info;
    private readonly Node _value;
    private readonly PaddedMatrix _left;
    private readonly int _columns;
    private readonly Action<Matrix> _result;
    private readonly long _group;
    private readonly Lazy<GrainSums> _sums;

    /// <param name="info">The tensor.</param>
    /// <param name="value">X.</param>
    /// <param name="left">L: as many rows as X.</param>
    /// <param name="result">Takes the product.</param>
    public TransposedProductReduction(TensorInfo info, Node value, Matrix left, Action<Matrix> result)
    {
        (_info, _value, _columns, _result) = (info, value, left.Columns, result);
        _left = new(left);
        _group = Group(info);
        // Not before it is known to fit the budget.
        _sums = new(() => new(checked((int)info.RowLength * _left.Width)));
    }

    /// <summary>Bytes that such a product with a matrix of some columns takes: once, and for every segment in hand.</summary>
    public static (long Once, long Each) Memory(TensorInfo info, int columns)
    {
        var width = (columns + PaddedMatrix.Chunk - 1) / PaddedMatrix.Chunk * PaddedMatrix.Chunk;
        var sums = sizeof(double) * info.RowLength * width;
        var groups = (info.Count + Group(info) - 1) / Group(info);
        // Of the finished front one sum for each bit of its length, and the product; of a segment those of its own pairs.
        return (
            (sizeof(double) * info.RowCount * width) + (sums * (2 + (long)Math.Log2(groups + 1))),
            sums * (2 + (long)Math.Log2((groups / TensorStatistics.MostSegments) + 1)));
    }

    public override IReadOnlyList<Node> Operands => [_value];

    public override bool IsForDevices => true;

    public override long SegmentUnit => _group;

    public override long Bytes => Memory(_info, _columns).Once;

    public override long BytesPerSegment => Memory(_info, _columns).Each;

    public override IReductionPart Begin(long start, long end) => new Part(start, end, _info.RowLength, _left, _group, _sums.Value);

    public override void Finish(IReadOnlyList<IReductionPart> parts)
    {
        var sums = _sums.Value.Total();
        var product = new Matrix((int)_info.RowLength, _columns);
        for (var j = 0; j < product.Rows; j++)
            sums.AsSpan(j * _left.Width, _columns).CopyTo(product.Row(j));
        _result(product);
    }

    private static long Group(TensorInfo info) => info.RowLength
        * (long)BitOperations.RoundUpToPowerOf2((ulong)((SmallestGroup + info.RowLength - 1) / info.RowLength));

    private sealed class Part(long start, long end, long rowLength, PaddedMatrix left, long group, GrainSums all) : IDeviceReductionPart
    {
        private double[] _sums = all.Rent();
        private long _next = start;

        public void Take(long start, int count, ReadOnlySpan<nint> operands)
        {
            var x = (float*)operands[0];
            for (var done = 0; done < count;)
            {
                var (row, column) = Math.DivRem(_next, rowLength);
                var run = (int)Math.Min(rowLength - column, count - done);
                fixed (double* l = left.Values, sums = _sums)
                {
                    for (var chunk = 0; chunk < left.Width; chunk += PaddedMatrix.Chunk)
                        AddRun(x + done, run, l + (row * left.Width) + chunk, left.Width, sums + (column * left.Width) + chunk);
                }
                done += run;
                Move(run);
            }
        }

        public void Take(long start, DeviceOperands operands)
        {
            var width = left.Width;
            for (var done = 0; done < operands.Count;)
            {
                var row = (int)(_next / rowLength);
                var (column, rows, run) = RowRun.At(_next, rowLength, group, operands.Count - done);
                operands.AddProduct(
                    0, done, true, run, rows, left.Values.AsSpan(row * width, rows * width),
                    _sums.AsSpan((int)column * width, run * width));
                done += rows * run;
                Move(rows * run);
            }
        }

        private void Move(int count)
        {
            _next += count;
            if (_next % group != 0 && _next != end)
                return;
            all.Add((_next - 1) / group, _sums);
            _sums = _next == end ? [] : all.Rent();
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void AddRun(float* x, int run, double* left, int width, double* sums)
        {
            if (Vector<double>.Count * 4 != PaddedMatrix.Chunk)
            {
                for (var j = 0; j < run; j++, sums += width)
                {
                    for (var c = 0; c < PaddedMatrix.Chunk; c++)
                        sums[c] = Math.FusedMultiplyAdd(x[j], left[c], sums[c]);
                }
                return;
            }
            var (l0, l1, l2, l3) =
                (Vector.Load(left), Vector.Load(left + 4), Vector.Load(left + 8), Vector.Load(left + 12));
            for (var j = 0; j < run; j++, sums += width)
            {
                var f = new Vector<double>(x[j]);
                Vector.Store(Vector.FusedMultiplyAdd(f, l0, Vector.Load(sums)), sums);
                Vector.Store(Vector.FusedMultiplyAdd(f, l1, Vector.Load(sums + 4)), sums + 4);
                Vector.Store(Vector.FusedMultiplyAdd(f, l2, Vector.Load(sums + 8)), sums + 8);
                Vector.Store(Vector.FusedMultiplyAdd(f, l3, Vector.Load(sums + 12)), sums + 12);
            }
        }
    }
}

/// <summary>A matrix whose rows are filled up with zeros to whole chunks of registers.</summary>
internal sealed class PaddedMatrix
{
    /// <summary>Columns worked on at a time: four registers of four.</summary>
    public const int Chunk = 16;

    public PaddedMatrix(Matrix matrix)
    {
        Width = (matrix.Columns + Chunk - 1) / Chunk * Chunk;
        Values = new double[(long)matrix.Rows * Width];
        for (var i = 0; i < matrix.Rows; i++)
            matrix.Row(i).CopyTo(Values.AsSpan(i * Width));
    }

    public int Width { get; }

    public double[] Values { get; }

    public long Bytes => sizeof(double) * (long)Values.Length;
}

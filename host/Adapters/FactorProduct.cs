using System.Buffers;
using Merge.Checkpoints;
using Merge.Compute;

namespace Merge.Adapters;

/// <summary>ΔW = L·R of one weight, laid out so that any part of it is multiplied quickly.</summary>
internal sealed class FactorProduct : IDisposable
{
    private readonly int _rows;
    private readonly float[] _left;
    private readonly bool _isRented;
    private readonly ColumnPanels _right;

    public FactorProduct(Factors factors)
        : this(factors.Left, factors.Rank == 0 ? 0 : factors.Left.Length / factors.Rank, false,
            new ColumnPanels(factors.Right, factors.Rank, factors.Width))
    {
    }

    private FactorProduct(float[] left, int rows, bool isRented, ColumnPanels right) =>
        (_left, _rows, _isRented, _right) = (left, rows, isRented, right);

    /// <summary>n: elements of a row.</summary>
    public int Width => _right.Columns;

    /// <summary>m·n.</summary>
    public long Count => (long)_rows * Width;

    public long Bytes => (sizeof(float) * (long)_left.Length) + _right.Bytes;

    /// <summary>Σ w·s·B·A over modules of one weight.</summary>
    /// <param name="modules">Each with its weight w; all of one shape.</param>
    public static FactorProduct Of(IReadOnlyList<(AdapterModule Module, double Weight)> modules)
    {
        if (modules is not [{ Module: { Layout: not FactorLayout.Transposed } module, Weight: var weight }]
            || Math.Max(module.Outputs, module.Inputs) * module.Rank > Array.MaxLength)
            return new(Factors.Of(modules));
        // Memory that is used again: fresh pages cost more than what is read into them.
        var (ofB, ofA) = (checked((int)(module.Outputs * module.Rank)), checked((int)(module.Rank * module.Inputs)));
        var left = ArrayPool<float>.Shared.Rent(ofB);
        FactorValues.Read(module.B, left.AsSpan(0, ofB));
        Factors.Scale(left.AsSpan(0, ofB), weight * module.Scale);
        var right = ArrayPool<float>.Shared.Rent(ofA);
        FactorValues.Read(module.A, right.AsSpan(0, ofA));
        var panels = new ColumnPanels(right.AsSpan(0, ofA), module.Rank, (int)module.Inputs);
        ArrayPool<float>.Shared.Return(right);
        return new(left, (int)module.Outputs, true, panels);
    }

    /// <summary>Gives the memory back; nobody may read any more.</summary>
    public void Dispose()
    {
        if (_isRented)
            ArrayPool<float>.Shared.Return(_left);
        _right.Dispose();
    }

    /// <summary>Elements [start, start + into.Length) of ΔW.</summary>
    public void Read(long start, Span<float> into) => Compute(start, into, add: false);

    /// <summary>Adds elements [start, start + into.Length) of ΔW.</summary>
    public void AddTo(long start, Span<float> into) => Compute(start, into, add: true);

    private void Compute(long start, Span<float> into, bool add)
    {
        while (!into.IsEmpty)
        {
            var (row, column) = Math.DivRem(start, Width);
            var rows = column == 0 ? into.Length / Width : 0;
            var columns = rows > 0 ? Width : (int)Math.Min(Width - column, into.Length);
            var count = Math.Max(rows, 1) * columns;
            LowRankProduct.Compute(_left, _right, (int)row, Math.Max(rows, 1), (int)column, columns, into[..count], add);
            into = into[count..];
            start += count;
        }
    }
}

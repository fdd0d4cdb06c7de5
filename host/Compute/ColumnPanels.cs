using System.Runtime.InteropServices;

namespace Merge.Compute;

/// <summary>
/// A matrix R [r, n] cut into panels of 64 columns, each stored row after row on its own cache lines: what a product goes
/// through over and over stays in the nearest cache, whatever n is. The last panel is filled up with zeros.
/// </summary>
internal sealed unsafe class ColumnPanels : IDisposable
{
    /// <summary>Columns of a panel: four of the widest registers.</summary>
    public const int Width = 64;

    private const int Alignment = 64;

    // Outside the garbage collector: freed as soon as it is done with, the next one has no pages to fault in.
    private float* _values;

    /// <param name="right">R, row-major; may be longer.</param>
    /// <param name="rank">r.</param>
    /// <param name="columns">n.</param>
    public ColumnPanels(ReadOnlySpan<float> right, int rank, int columns)
    {
        (Rank, Columns) = (rank, columns);
        var panels = (columns + Width - 1L) / Width;
        Bytes = Math.Max(1, panels * rank) * Width * sizeof(float);
        _values = (float*)NativeMemory.AlignedAlloc((nuint)Bytes, Alignment);
        var to = _values;
        for (var first = 0; first < columns; first += Width)
        {
            var count = Math.Min(Width, columns - first);
            for (var k = 0; k < rank; k++, to += Width)
            {
                var row = new Span<float>(to, Width);
                right.Slice(checked((k * columns) + first), count).CopyTo(row);
                row[count..].Clear();
            }
        }
    }

    ~ColumnPanels() => NativeMemory.AlignedFree(_values);

    /// <summary>r.</summary>
    public int Rank { get; }

    /// <summary>n.</summary>
    public int Columns { get; }

    public long Bytes { get; }

    /// <summary>r rows of 64 numbers, at a whole cache line; valid until this is disposed.</summary>
    public float* Panel(int panel) => _values + ((long)panel * Rank * Width);

    public void Dispose()
    {
        NativeMemory.AlignedFree(_values);
        _values = null;
        GC.SuppressFinalize(this);
    }
}

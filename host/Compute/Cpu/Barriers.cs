using System.Numerics;
using System.Runtime.CompilerServices;
using Merge.Sdk;

namespace Merge.Compute.Cpu;

/// <summary>A float32 buffer in a kernel's scratch: of a tile, or of the whole slab.</summary>
internal readonly unsafe record struct ScratchValue(long Offset, bool OfSlab)
{
    /// <summary>Where the tile that begins at <paramref name="tile"/> of the slab is.</summary>
    public float* At(byte* scratch, int tile) => (float*)(scratch + Offset) + (OfSlab ? tile : 0);
}

/// <summary>
/// What cannot be part of an element-wise loop: it takes the values of a slab tile by tile, and has its result when the
/// slab ends.
/// </summary>
internal unsafe interface IBarrier
{
    void Begin(byte* scratch, int slab);

    void Take(byte* scratch, int tile, int count);

    void Finish(byte* scratch, int slab);
}

/// <summary>Sum, or with two operands dot product, along an axis: float64, in the order of <see cref="LaneSums"/>
/// within a row, else from the first to the last.</summary>
internal sealed unsafe class AlongSum(Fibers fibers, ScratchValue a, ScratchValue? b, long sums, long result) : IBarrier
{
    public Fibers Fibers => fibers;

    public ScratchValue A => a;

    public ScratchValue? B => b;

    /// <summary>Where in scratch the numbers begin.</summary>
    public long Result => result;

    public void Begin(byte* scratch, int slab) =>
        new Span<double>(scratch + sums, fibers.Stride == 1 ? LaneSums.Lanes : fibers.CountIn(slab)).Clear();

    public void Take(byte* scratch, int tile, int count)
    {
        var x = a.At(scratch, tile);
        var y = b is { } second ? second.At(scratch, tile) : null;
        var done = 0;
        while (done < count)
        {
            var (number, run) = fibers.RunAt(tile + done, count - done);
            var totals = (double*)(scratch + sums);
            if (fibers.Stride == 1)
                TakeRow(scratch, totals, number, tile + done, run, x + done, y is null ? null : y + done);
            else if (y is null)
                LaneSums.AddEach(totals + number, x + done, run);
            else
                LaneSums.AddEachProduct(totals + number, x + done, y + done, run);
            done += run;
        }
    }

    public void Finish(byte* scratch, int slab)
    {
        if (fibers.Stride == 1)
            return;
        var totals = (double*)(scratch + sums);
        var numbers = (float*)(scratch + result);
        for (var i = 0; i < fibers.CountIn(slab); i++)
            numbers[i] = (float)totals[i];
    }

    private void TakeRow(byte* scratch, double* lanes, int number, int offset, int run, float* x, float* y)
    {
        var position = offset % fibers.Length;
        if (y is null)
            LaneSums.Add(lanes, x, run, position);
        else
            LaneSums.AddProducts(lanes, x, y, run, position);
        if (position + run < fibers.Length)
            return;
        ((float*)(scratch + result))[number] = (float)LaneSums.Total(lanes, fibers.Length);
        new Span<double>(lanes, LaneSums.Lanes).Clear();
    }
}

/// <summary>The largest value along an axis; exact, so the order does not matter.</summary>
internal sealed unsafe class AlongMax(Fibers fibers, ScratchValue a, long result) : IBarrier
{
    public Fibers Fibers => fibers;

    public ScratchValue A => a;

    /// <summary>Where in scratch the numbers begin.</summary>
    public long Result => result;

    public void Begin(byte* scratch, int slab) =>
        new Span<float>(scratch + result, fibers.CountIn(slab)).Fill(float.NegativeInfinity);

    public void Take(byte* scratch, int tile, int count)
    {
        var x = a.At(scratch, tile);
        var numbers = (float*)(scratch + result);
        var done = 0;
        while (done < count)
        {
            var (number, run) = fibers.RunAt(tile + done, count - done);
            if (fibers.Stride == 1)
                numbers[number] = MathF.Max(numbers[number], Largest(x + done, run));
            else
                Raise(numbers + number, x + done, run);
            done += run;
        }
    }

    public void Finish(byte* scratch, int slab)
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Largest(float* x, int count)
    {
        var largest = float.NegativeInfinity;
        var i = 0;
        if (count >= Vector<float>.Count)
        {
            var lanes = Vector.Load(x);
            for (i = Vector<float>.Count; i <= count - Vector<float>.Count; i += Vector<float>.Count)
                lanes = Vector.Max(lanes, Vector.Load(x + i));
            for (var lane = 0; lane < Vector<float>.Count; lane++)
                largest = MathF.Max(largest, lanes[lane]);
        }
        for (; i < count; i++)
            largest = MathF.Max(largest, x[i]);
        return largest;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Raise(float* numbers, float* x, int count)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            Vector.Store(Vector.Max(Vector.Load(numbers + i), Vector.Load(x + i)), numbers + i);
        for (; i < count; i++)
            numbers[i] = MathF.Max(numbers[i], x[i]);
    }
}

/// <summary>The rank along an axis; needs its operand's whole slab.</summary>
internal sealed unsafe class AlongRank(Fibers fibers, ScratchValue a, long sorting, long result) : IBarrier
{
    public void Begin(byte* scratch, int slab)
    {
    }

    public void Take(byte* scratch, int tile, int count)
    {
    }

    public void Finish(byte* scratch, int slab)
    {
        var values = a.At(scratch, 0);
        var ranks = (float*)(scratch + result);
        for (var fiber = 0; fiber < fibers.CountIn(slab); fiber++)
        {
            var first = (fiber / fibers.Stride * fibers.Group) + (fiber % fibers.Stride);
            RankSort.Rank(values + first, ranks + first, fibers.Length, fibers.Stride, (ulong*)(scratch + sorting));
        }
    }
}

/// <summary>An author's own loop.</summary>
internal sealed unsafe class MapBarrier(SpanKernel kernel, ScratchValue[] inputs, ScratchValue result) : IBarrier
{
    public void Begin(byte* scratch, int slab)
    {
    }

    public void Take(byte* scratch, int tile, int count)
    {
        var starts = stackalloc nint[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
            starts[i] = (nint)inputs[i].At(scratch, tile);
        kernel(new SpanList(new(starts, inputs.Length), count), new(result.At(scratch, tile), count));
    }

    public void Finish(byte* scratch, int slab)
    {
    }
}

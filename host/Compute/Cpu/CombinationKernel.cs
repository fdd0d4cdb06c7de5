using System.Runtime.CompilerServices;
using Merge.Sdk;
using One = Merge.Compute.Cpu.Conversions<Merge.Compute.Cpu.Lanes1, float, int>;

namespace Merge.Compute.Cpu;

/// <summary>
/// Evaluates many linear combinations tile by tile. Each tile is decoded once, four rows with the same terms at a time
/// are kept in registers. The bits are those of a compiled expression.
/// </summary>
internal sealed unsafe class CombinationKernel<L, F, I> : IKernel
    where L : struct, ILanes<F, I>
    where F : struct
    where I : struct
{
    // The tiles of twenty checkpoints fit the second nearest cache with room for what is written.
    private const int Tile = 512;

    private readonly Combinations _combinations;
    private readonly CombinedRows[] _rows;
    private readonly int[] _inputSizes;
    private readonly int _outputSize;

    public CombinationKernel(Combinations combinations)
    {
        _combinations = combinations;
        _rows = CombinedRows.Of(combinations.Rows);
        _inputSizes = [.. combinations.InputTypes.Select(t => t.Bits() / 8)];
        _outputSize = combinations.OutputType.Bits() / 8;
    }

    public long ScratchBytes => (long)(_combinations.Values.Count + CombinedRows.Most) * Tile * sizeof(float);

    // Two registers of each row.
    private static int Step => 2 * L.Width;

    public void Run(
        long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> outputs, Workspace workspace)
    {
        var scratch = (float*)workspace.Reserve(Scratch.Kernel, ScratchBytes);
        var values = stackalloc float*[_combinations.Values.Count];
        for (var done = 0; done < count; done += Tile)
        {
            var length = Math.Min(Tile, count - done);
            Decode(inputs, done, length, values, scratch);
            foreach (var rows in _rows)
                Evaluate(rows, values, outputs, done, length, scratch + (_combinations.Values.Count * Tile));
        }
    }

    public void RunTiles(
        long start, int count, ReadOnlySpan<nint> inputs, ReadOnlySpan<nint> tiles, Workspace workspace,
        ITileTaker taker) => throw new NotSupportedException("combinations are written, never reduced");

    private void Decode(ReadOnlySpan<nint> inputs, int done, int length, float** values, float* scratch)
    {
        var padded = (length + Step - 1) / Step * Step;
        for (var v = 0; v < _combinations.Values.Count; v++)
        {
            var (slot, minus) = _combinations.Values[v];
            var type = _combinations.InputTypes[slot];
            var stored = (byte*)inputs[slot] + ((long)done * _inputSizes[slot]);
            if (type == DType.F32 && padded == length)
            {
                values[v] = (float*)stored;
            }
            else
            {
                values[v] = scratch + (v * Tile);
                Decode(type, stored, values[v], length);
                new Span<float>(values[v] + length, padded - length).Clear();
            }
            if (minus < 0)
                continue;
            Subtract(values[v], values[minus], scratch + (v * Tile), padded);
            values[v] = scratch + (v * Tile);
        }
    }

    private void Evaluate(
        CombinedRows rows, float** values, ReadOnlySpan<nint> outputs, int done, int length, float* scratch)
    {
        var padded = (length + Step - 1) / Step * Step;
        var isDirect = _combinations.OutputType == DType.F32 && padded == length;
        var targets = stackalloc float*[CombinedRows.Most];
        for (var r = 0; r < rows.Outputs.Length; r++)
        {
            targets[r] = isDirect
                ? (float*)outputs[rows.Outputs[r]] + done
                : scratch + (r * Tile);
        }
        var terms = stackalloc float*[rows.Terms.Length];
        for (var i = 0; i < rows.Terms.Length; i++)
            terms[i] = values[rows.Terms[i]];
        var added = rows.Base < 0 ? null : values[rows.Base];
        fixed (float* coefficients = rows.Coefficients)
        {
            if (rows.Outputs.Length == CombinedRows.Most)
            {
                FourRows(terms, coefficients, rows.Terms.Length, added, targets, padded);
            }
            else
            {
                for (var r = 0; r < rows.Outputs.Length; r++)
                    OneRow(terms, coefficients + r, rows.Outputs.Length, rows.Terms.Length, added, targets[r], padded);
            }
        }
        if (isDirect)
            return;
        for (var r = 0; r < rows.Outputs.Length; r++)
        {
            Encode(
                _combinations.OutputType, targets[r], (byte*)outputs[rows.Outputs[r]] + ((long)done * _outputSize), length);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(
        float** terms, float* coefficients, int count, float* added, float** targets, int length)
    {
        var w = L.Width;
        for (var e = 0; e < length; e += 2 * w)
        {
            var x = L.Load(terms[0] + e);
            var y = L.Load(terms[0] + e + w);
            var c = L.Broadcast(coefficients[0]);
            var (x0, y0) = (L.Multiply(c, x), L.Multiply(c, y));
            c = L.Broadcast(coefficients[1]);
            var (x1, y1) = (L.Multiply(c, x), L.Multiply(c, y));
            c = L.Broadcast(coefficients[2]);
            var (x2, y2) = (L.Multiply(c, x), L.Multiply(c, y));
            c = L.Broadcast(coefficients[3]);
            var (x3, y3) = (L.Multiply(c, x), L.Multiply(c, y));
            var factors = coefficients;
            for (var i = 1; i < count; i++)
            {
                factors += CombinedRows.Most;
                var term = terms[i] + e;
                x = L.Load(term);
                y = L.Load(term + w);
                c = L.Broadcast(factors[0]);
                x0 = L.Add(x0, L.Multiply(c, x));
                y0 = L.Add(y0, L.Multiply(c, y));
                c = L.Broadcast(factors[1]);
                x1 = L.Add(x1, L.Multiply(c, x));
                y1 = L.Add(y1, L.Multiply(c, y));
                c = L.Broadcast(factors[2]);
                x2 = L.Add(x2, L.Multiply(c, x));
                y2 = L.Add(y2, L.Multiply(c, y));
                c = L.Broadcast(factors[3]);
                x3 = L.Add(x3, L.Multiply(c, x));
                y3 = L.Add(y3, L.Multiply(c, y));
            }
            if (added is not null)
            {
                x = L.Load(added + e);
                y = L.Load(added + e + w);
                (x0, y0) = (L.Add(x, x0), L.Add(y, y0));
                (x1, y1) = (L.Add(x, x1), L.Add(y, y1));
                (x2, y2) = (L.Add(x, x2), L.Add(y, y2));
                (x3, y3) = (L.Add(x, x3), L.Add(y, y3));
            }
            Store(x0, y0, targets[0] + e);
            Store(x1, y1, targets[1] + e);
            Store(x2, y2, targets[2] + e);
            Store(x3, y3, targets[3] + e);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneRow(
        float** terms, float* coefficients, int stride, int count, float* added, float* target, int length)
    {
        var w = L.Width;
        for (var e = 0; e < length; e += 2 * w)
        {
            var c = L.Broadcast(coefficients[0]);
            var x = L.Multiply(c, L.Load(terms[0] + e));
            var y = L.Multiply(c, L.Load(terms[0] + e + w));
            for (var i = 1; i < count; i++)
            {
                c = L.Broadcast(coefficients[i * stride]);
                x = L.Add(x, L.Multiply(c, L.Load(terms[i] + e)));
                y = L.Add(y, L.Multiply(c, L.Load(terms[i] + e + w)));
            }
            if (added is not null)
            {
                x = L.Add(L.Load(added + e), x);
                y = L.Add(L.Load(added + e + w), y);
            }
            Store(x, y, target + e);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(F x, F y, float* target)
    {
        Conversions<L, F, I>.EncodeF32(x, (byte*)target);
        Conversions<L, F, I>.EncodeF32(y, (byte*)(target + L.Width));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Subtract(float* a, float* b, float* difference, int length)
    {
        for (var e = 0; e < length; e += L.Width)
            L.Store(L.Subtract(L.Load(a + e), L.Load(b + e)), difference + e);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Decode(DType type, byte* source, float* target, int length)
    {
        var size = type.Bits() / 8;
        var e = 0;
        for (; e <= length - L.Width; e += L.Width)
            L.Store(Conversions<L, F, I>.Decode(type, source + ((long)e * size)), target + e);
        for (; e < length; e++)
            target[e] = One.Decode(type, source + ((long)e * size));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Encode(DType type, float* source, byte* target, int length)
    {
        var size = type.Bits() / 8;
        var e = 0;
        for (; e <= length - L.Width; e += L.Width)
            Conversions<L, F, I>.Encode(type, L.Load(source + e), target + ((long)e * size));
        for (; e < length; e++)
            One.Encode(type, source[e], target + ((long)e * size));
    }
}

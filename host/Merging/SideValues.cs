using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Merge.Checkpoints;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// Refuses what cannot be an importance: a value of a side input that is negative, NaN or infinite; of a matrix of inner
/// products NaN and infinite ones. A strategy would make NaN of it, or drop it without a word.
/// </summary>
internal static class SideValues
{
    /// <exception cref="InputFault">There is such a value: the first of these bytes.</exception>
    /// <param name="stored">The side tensor.</param>
    /// <param name="bytes">A part of it.</param>
    /// <param name="start">The index of the part's first element.</param>
    /// <param name="shape">What it is.</param>
    public static void Check(TensorSource stored, ReadOnlySpan<byte> bytes, long start, SideShape shape = SideShape.SameAsTensor)
    {
        if (shape == SideShape.InputGram)
        {
            CheckFinite(stored, bytes, start);
            return;
        }
        var bad = stored.DType switch
        {
            DType.BF16 => FirstBad<ushort>(bytes, 0x7F80, 0x8000),
            DType.F16 => FirstBad<ushort>(bytes, 0x7C00, 0x8000),
            DType.F32 => FirstBad<uint>(bytes, 0x7F80_0000, 0x8000_0000),
            DType.F64 => FirstBad<ulong>(bytes, 0x7FF0_0000_0000_0000, 0x8000_0000_0000_0000),
            _ => -1,
        };
        if (bad < 0)
            return;
        var value = Value(stored.DType, bytes, bad);
        throw new InputFault(new Diagnostic(
            $"element {start + bad} of side tensor '{stored.Name}' is {(double.IsNaN(value) ? "NaN" : $"{value:R}")}")
        {
            Expected = "second moments and importances: finite, never negative",
            Where = stored.Files.First().Path,
            Fix = value < 0
                ? "Is it exp_avg? Adam's exp_avg_sq is its neighbour, and has no signs."
                : "The training run that saved it diverged, or the file is damaged: take an earlier checkpoint's.",
        });
    }

    /// <summary>What a tensor is read as, if as a side input and not as a model's.</summary>
    public static SideShape? ShapeOf(TensorPlan plan, TensorSource input) =>
        plan.Sides.FirstOrDefault(s => s.Stored.Any(stored => ReferenceEquals(stored, input)))?.Shape;

    private static void CheckFinite(TensorSource stored, ReadOnlySpan<byte> bytes, long start)
    {
        var size = stored.DType.Bits() / 8;
        for (var i = 0; i < bytes.Length / size; i++)
        {
            if (double.IsFinite(Value(stored.DType, bytes, i)))
                continue;
            throw new InputFault(new Diagnostic(
                $"element {start + i} of side tensor '{stored.Name}' is {(double.IsNaN(Value(stored.DType, bytes, i)) ? "NaN" : "infinite")}")
            {
                Expected = "a Gram matrix of a layer's inputs: finite",
                Where = stored.Files.First().Path,
                Fix = "Sums of squares overflow float16: make the file again, in float32.",
            });
        }
    }

    // As unsigned integers: from the exponent of all ones on, but for -0.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int FirstBad<T>(ReadOnlySpan<byte> bytes, T ones, T minusZero)
        where T : unmanaged, IBinaryInteger<T>
    {
        var values = MemoryMarshal.Cast<byte, T>(bytes);
        var vectors = MemoryMarshal.Cast<T, Vector<T>>(values);
        var from = new Vector<T>(ones);
        for (var v = 0; v < vectors.Length; v++)
        {
            if (Vector.GreaterThanOrEqualAny(vectors[v], from))
            {
                var start = v * Vector<T>.Count;
                if (FirstBad(values[start..(start + Vector<T>.Count)], ones, minusZero) is >= 0 and var bad)
                    return start + bad;
            }
        }
        var rest = vectors.Length * Vector<T>.Count;
        return FirstBad(values[rest..], ones, minusZero) is >= 0 and var last ? rest + last : -1;
    }

    private static int FirstBad<T>(ReadOnlySpan<T> values, T ones, T minusZero)
        where T : unmanaged, IBinaryInteger<T>
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i] >= ones && values[i] != minusZero)
                return i;
        }
        return -1;
    }

    private static double Value(DType dtype, ReadOnlySpan<byte> bytes, int index) => dtype switch
    {
        DType.BF16 => BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Cast<byte, ushort>(bytes)[index] << 16),
        DType.F16 => (double)MemoryMarshal.Cast<byte, Half>(bytes)[index],
        DType.F32 => MemoryMarshal.Cast<byte, float>(bytes)[index],
        _ => MemoryMarshal.Cast<byte, double>(bytes)[index],
    };
}

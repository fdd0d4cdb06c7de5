using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Merge.Compute.Cpu;

/// <summary>
/// Float64 sums whose bits do not depend on how the values are cut or how wide registers are: 64 partial sums, element
/// i goes to number i mod 64, in order; they are added pairwise at the end.
/// </summary>
internal static unsafe class LaneSums
{
    public const int Lanes = 64;

    private const int Part = 8;

    /// <summary>Adds values, the first to lane <paramref name="phase"/> mod 64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(double* lanes, float* values, int count, long phase)
    {
        var lane = (int)(phase % Lanes);
        var i = 0;
        for (; lane != 0 && i < count; i++, lane = (lane + 1) % Lanes)
            lanes[lane] += values[i];
        if (count - i >= Lanes)
        {
            var (a, b, c, d) = (Load(lanes, 0), Load(lanes, 1), Load(lanes, 2), Load(lanes, 3));
            var (e, f, g, h) = (Load(lanes, 4), Load(lanes, 5), Load(lanes, 6), Load(lanes, 7));
            for (; i <= count - Lanes; i += Lanes)
            {
                a += Widen(values + i, 0);
                b += Widen(values + i, 1);
                c += Widen(values + i, 2);
                d += Widen(values + i, 3);
                e += Widen(values + i, 4);
                f += Widen(values + i, 5);
                g += Widen(values + i, 6);
                h += Widen(values + i, 7);
            }
            Store(lanes, a, b, c, d, e, f, g, h);
        }
        for (lane = 0; i < count; i++, lane++)
            lanes[lane] += values[i];
    }

    /// <summary>
    /// Adds products. They are exact in float64, so that fusing them with the addition, or not, gives the same bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddProducts(double* lanes, float* x, float* y, int count, long phase)
    {
        var lane = (int)(phase % Lanes);
        var i = 0;
        for (; lane != 0 && i < count; i++, lane = (lane + 1) % Lanes)
            lanes[lane] += (double)x[i] * y[i];
        if (count - i >= Lanes)
        {
            var (a, b, c, d) = (Load(lanes, 0), Load(lanes, 1), Load(lanes, 2), Load(lanes, 3));
            var (e, f, g, h) = (Load(lanes, 4), Load(lanes, 5), Load(lanes, 6), Load(lanes, 7));
            for (; i <= count - Lanes; i += Lanes)
            {
                a = Vector512.MultiplyAddEstimate(Widen(x + i, 0), Widen(y + i, 0), a);
                b = Vector512.MultiplyAddEstimate(Widen(x + i, 1), Widen(y + i, 1), b);
                c = Vector512.MultiplyAddEstimate(Widen(x + i, 2), Widen(y + i, 2), c);
                d = Vector512.MultiplyAddEstimate(Widen(x + i, 3), Widen(y + i, 3), d);
                e = Vector512.MultiplyAddEstimate(Widen(x + i, 4), Widen(y + i, 4), e);
                f = Vector512.MultiplyAddEstimate(Widen(x + i, 5), Widen(y + i, 5), f);
                g = Vector512.MultiplyAddEstimate(Widen(x + i, 6), Widen(y + i, 6), g);
                h = Vector512.MultiplyAddEstimate(Widen(x + i, 7), Widen(y + i, 7), h);
            }
            Store(lanes, a, b, c, d, e, f, g, h);
        }
        for (lane = 0; i < count; i++, lane++)
            lanes[lane] += (double)x[i] * y[i];
    }

    /// <summary>The sum of the lanes that <paramref name="count"/> elements reached: halves added to halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Total(double* lanes, long count)
    {
        var width = 1;
        while (width < Lanes && width < count)
            width *= 2;
        while ((width /= 2) > 0)
        {
            for (var i = 0; i < width; i++)
                lanes[i] += lanes[i + width];
        }
        return lanes[0];
    }

    /// <summary>Adds each value to a sum of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddEach(double* sums, float* values, int count)
    {
        var i = 0;
        for (; i <= count - Part; i += Part)
            (Vector512.Load(sums + i) + Widen(values + i, 0)).Store(sums + i);
        for (; i < count; i++)
            sums[i] += values[i];
    }

    /// <summary>Adds each product to a sum of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddEachProduct(double* sums, float* x, float* y, int count)
    {
        var i = 0;
        for (; i <= count - Part; i += Part)
            Vector512.MultiplyAddEstimate(Widen(x + i, 0), Widen(y + i, 0), Vector512.Load(sums + i)).Store(sums + i);
        for (; i < count; i++)
            sums[i] += (double)x[i] * y[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Load(double* lanes, int part) => Vector512.Load(lanes + (part * Part));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Widen(float* values, int part) =>
        Vector512.WidenLower(Vector256.Load(values + (part * Part)).ToVector512Unsafe());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        double* lanes, Vector512<double> a, Vector512<double> b, Vector512<double> c, Vector512<double> d,
        Vector512<double> e, Vector512<double> f, Vector512<double> g, Vector512<double> h)
    {
        a.Store(lanes);
        b.Store(lanes + Part);
        c.Store(lanes + (2 * Part));
        d.Store(lanes + (3 * Part));
        e.Store(lanes + (4 * Part));
        f.Store(lanes + (5 * Part));
        g.Store(lanes + (6 * Part));
        h.Store(lanes + (7 * Part));
    }
}

using System.Runtime.CompilerServices;

namespace Merge.Compute.Cpu;

/// <summary>
/// The operations that hardware has not: one definition for all widths, and the model for other devices. Multiplying
/// and adding is fused only where written so.
/// </summary>
internal static class Arithmetic<L, F, I>
    where L : struct, ILanes<F, I>
    where F : struct
    where I : struct
{
    private const float Log2E = 1.44269504f;

    // ln 2 in two parts; the high one has 10 bits, so that a whole number of up to 14 bits times it is exact.
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    // 1.5·2²³: adding it rounds to a whole number that can be read off the low bits.
    private const float Rounder = 12582912f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Negate(F x) => L.Xor(x, L.Broadcast(-0f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Sign(F x)
    {
        var zero = L.Broadcast(0f);
        var rest = L.Where(L.Less(x, zero), L.Broadcast(-1f), L.Add(x, zero));
        return L.Where(L.Greater(x, zero), L.Broadcast(1f), rest);
    }

    /// <summary>Whether a score is kept by a cut that is a number. NaN scores are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F KeptByNumber(F score, F value, F belowLimit) => L.Or(
        L.Not(L.LessOrEqual(score, value)), L.And(L.Equal(score, value), belowLimit));

    /// <summary>Whether a score is kept by a cut at NaN: only some of the NaN are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F KeptByNaN(F score, F belowLimit) => L.And(L.Not(L.Equal(score, score)), belowLimit);

    /// <summary>Within 2 units in the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Exp(F x) => Exp(x, L.Broadcast(0f));

    /// <summary>Within 2 units in the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Log(F x)
    {
        Log(x, out var high, out _);
        return high;
    }

    /// <summary>Within 16 units in the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F Pow(F x, F y)
    {
        var zero = L.Broadcast(0f);
        var one = L.Broadcast(1f);
        Log(x, out var high, out var low);
        var product = L.Multiply(y, high);
        var rest = L.FusedMultiplyAdd(y, low, L.FusedMultiplyAdd(y, high, Negate(product)));
        var power = Exp(product, L.Where(L.Less(L.Abs(product), L.Broadcast(150f)), rest, zero));
        power = L.Where(L.Equal(y, L.Broadcast(0.5f)), L.Sqrt(x), power);
        power = L.Where(L.And(L.Equal(y, one), L.GreaterOrEqual(x, zero)), x, power);
        return L.Where(L.Or(L.Equal(y, zero), L.Equal(x, one)), one, power);
    }

    /// <summary>e to the sum of a number and a small correction of it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static F Exp(F x, F correction)
    {
        // Beyond ±150 the result is 0 or infinite; NaN passes both.
        x = L.Min(L.Max(x, L.Broadcast(-150f)), L.Broadcast(150f));
        var shifted = L.FusedMultiplyAdd(x, L.Broadcast(Log2E), L.Broadcast(Rounder));
        var n = L.Subtract(shifted, L.Broadcast(Rounder));
        var r = L.FusedMultiplyAdd(n, L.Broadcast(-Ln2High), x);
        r = L.FusedMultiplyAdd(n, L.Broadcast(-Ln2Low), r);
        r = L.Add(r, correction);

        var p = L.Broadcast(1.9875691500e-4f);
        p = L.FusedMultiplyAdd(p, r, L.Broadcast(1.3981999507e-3f));
        p = L.FusedMultiplyAdd(p, r, L.Broadcast(8.3334519073e-3f));
        p = L.FusedMultiplyAdd(p, r, L.Broadcast(4.1665795894e-2f));
        p = L.FusedMultiplyAdd(p, r, L.Broadcast(1.6666665459e-1f));
        p = L.FusedMultiplyAdd(p, r, L.Broadcast(5.0000001201e-1f));
        p = L.Add(L.FusedMultiplyAdd(L.Multiply(p, r), r, r), L.Broadcast(1f));

        // 2ⁿ in two factors: the first product is exact, so a subnormal result is rounded once.
        var exponent = L.Subtract(L.AsBits(shifted), L.AsBits(L.Broadcast(Rounder)));
        var half = L.ShiftRight(exponent, 1);
        return L.Multiply(L.Multiply(p, PowerOfTwo(half)), PowerOfTwo(L.Subtract(exponent, half)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static F PowerOfTwo(I exponent) => L.AsNumber(L.ShiftLeft(L.Add(exponent, L.Broadcast(127)), 23));

    /// <summary>ln x as a float32 and what it lacks: together some 29 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Log(F x, out F high, out F low)
    {
        var zero = L.Broadcast(0f);
        var one = L.Broadcast(1f);
        var subnormal = L.Less(x, L.Broadcast(1.17549435e-38f));
        var scaled = L.Where(subnormal, L.Multiply(x, L.Broadcast(8388608f)), x);

        // scaled = m·2ᵉ with m in [√½, √2)
        var bits = L.AsBits(scaled);
        var exponent = L.ShiftRight(L.Subtract(bits, L.Broadcast(0x3f3504f3)), 23);
        var m = L.AsNumber(L.Subtract(bits, L.ShiftLeft(exponent, 23)));
        var e = L.Subtract(L.ToNumber(exponent), L.And(subnormal, L.Broadcast(23f)));

        // ln m = 2·artanh s, s = (m − 1)/(m + 1), with the rounding of m + 1 and of the quotient carried along
        var f = L.Subtract(m, one);
        var g = L.Add(m, one);
        var gLow = L.Subtract(m, L.Subtract(g, one));
        var s = L.Divide(f, g);
        var residue = L.FusedMultiplyAdd(Negate(s), gLow, L.FusedMultiplyAdd(Negate(s), g, f));
        var sLow = L.Divide(residue, g);
        var z = L.Multiply(s, s);
        var p = L.Broadcast(1f / 11);
        p = L.FusedMultiplyAdd(p, z, L.Broadcast(1f / 9));
        p = L.FusedMultiplyAdd(p, z, L.Broadcast(1f / 7));
        p = L.FusedMultiplyAdd(p, z, L.Broadcast(1f / 5));
        p = L.FusedMultiplyAdd(p, z, L.Broadcast(1f / 3));
        var tail = L.FusedMultiplyAdd(L.Multiply(s, z), p, sLow);
        var h = L.Add(s, s);
        var l = L.Add(tail, tail);

        // + e·ln 2, whose high part is exact; |e·ln 2| is above |h| unless e is 0
        var whole = L.Multiply(e, L.Broadcast(Ln2High));
        var sum = L.Add(whole, h);
        var lost = L.Subtract(h, L.Subtract(sum, whole));
        l = L.FusedMultiplyAdd(e, L.Broadcast(Ln2Low), L.Add(lost, l));
        high = L.Add(sum, l);
        low = L.Subtract(l, L.Subtract(high, sum));

        var infinity = L.Broadcast(float.PositiveInfinity);
        high = L.Where(L.Equal(x, infinity), infinity, high);
        high = L.Where(L.Equal(x, zero), Negate(infinity), high);
        high = L.Where(L.GreaterOrEqual(x, zero), high, L.Broadcast(float.NaN));
    }
}

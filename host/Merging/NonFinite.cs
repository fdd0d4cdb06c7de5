using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Finds NaN and infinities in raw bytes: an exponent of all ones.</summary>
internal static class NonFinite
{
    /// <summary>Whether any element is NaN or infinite. Only for mergeable dtypes.</summary>
    public static bool Any(DType dtype, ReadOnlySpan<byte> bytes) => dtype switch
    {
        DType.BF16 => AnyOnes<ushort>(bytes, 0x7F80),
        DType.F16 => AnyOnes<ushort>(bytes, 0x7C00),
        DType.F32 => AnyOnes<uint>(bytes, 0x7F80_0000),
        DType.F64 => AnyOnes<ulong>(bytes, 0x7FF0_0000_0000_0000),
        _ => false,
    };

    /// <summary>Whether any of some tensors' elements is.</summary>
    /// <param name="dtypes">Their types.</param>
    /// <param name="addresses">Where the elements begin.</param>
    /// <param name="count">Elements of each.</param>
    public static unsafe bool AnyOf(ReadOnlySpan<DType> dtypes, ReadOnlySpan<nint> addresses, int count)
    {
        for (var k = 0; k < dtypes.Length; k++)
        {
            if (Any(dtypes[k], new((void*)addresses[k], count * (dtypes[k].Bits() / 8))))
                return true;
        }
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool AnyOnes<T>(ReadOnlySpan<byte> bytes, T mask)
        where T : unmanaged, IBinaryInteger<T>
    {
        var values = MemoryMarshal.Cast<byte, T>(bytes);
        var vectors = MemoryMarshal.Cast<T, Vector<T>>(values);
        var ones = new Vector<T>(mask);
        foreach (var vector in vectors)
        {
            if (Vector.EqualsAny(vector & ones, ones))
                return true;
        }
        foreach (var value in values[(vectors.Length * Vector<T>.Count)..])
        {
            if ((value & mask) == mask)
                return true;
        }
        return false;
    }
}

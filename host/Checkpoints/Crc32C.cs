using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Merge.Checkpoints;

/// <summary>
/// CRC-32C (Castagnoli). Checksums of neighbouring chunks combine without their bytes, so chunks may be hashed in any
/// order by any thread.
/// </summary>
internal static class Crc32C
{
    private const uint Polynomial = 0x82F63B78;

    // The crc instruction takes 3 cycles and starts every cycle: three streams of this many bytes fill it.
    private const int Lane = 8192;

    private static readonly uint[] PowersOfX = SquaresOfX();

    private static readonly uint OneLane = PowerOfX(8 * Lane);

    /// <summary>The checksum of A‖B, given that of A; 0 is the checksum of nothing.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        if (!Crc32CFolding.IsSupported || bytes.Length < Crc32CFolding.Shortest)
            return AppendByInstruction(crc, bytes);
        Span<byte> folded = stackalloc byte[Crc32CFolding.Folded];
        var rest = bytes[Crc32CFolding.Fold(~crc, bytes, folded)..];
        return AppendByInstruction(AppendByInstruction(~0u, folded), rest);
    }

    /// <summary>The same by the processor's crc instruction, or what the runtime has in its place.</summary>
    public static uint AppendByInstruction(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        while (bytes.Length >= 3 * Lane)
        {
            crc = ThreeLanes(crc, bytes[..(3 * Lane)]);
            bytes = bytes[(3 * Lane)..];
        }
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
            crc = BitOperations.Crc32C(crc, word);
        foreach (var value in bytes[(words.Length * sizeof(ulong))..])
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }

    /// <summary>The checksum of A‖B from those of A and B and B's length in bytes.</summary>
    public static uint Combine(uint crcA, uint crcB, long lengthB)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthB);
        return Multiply(PowerOfX((UInt128)lengthB * 8), crcA) ^ crcB;
    }

    /// <summary>x^exponent modulo the polynomial; the highest bit is x⁰, as in the checksum.</summary>
    internal static uint PowerOfX(UInt128 exponent)
    {
        var result = 1u << 31;
        for (var power = 0; exponent != 0; exponent >>= 1, power++)
        {
            if (UInt128.IsOddInteger(exponent))
                result = Multiply(PowersOfX[power], result);
        }
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static uint ThreeLanes(uint crc, ReadOnlySpan<byte> bytes)
    {
        ref var start = ref MemoryMarshal.GetReference(bytes[..(3 * Lane)]);
        uint second = 0, third = 0;
        for (nint i = 0; i < Lane; i += sizeof(ulong))
        {
            ref var at = ref Unsafe.Add(ref start, i);
            crc = BitOperations.Crc32C(crc, Unsafe.ReadUnaligned<ulong>(ref at));
            second = BitOperations.Crc32C(second, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, Lane)));
            third = BitOperations.Crc32C(third, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, 2 * Lane)));
        }
        return Multiply(OneLane, Multiply(OneLane, crc) ^ second) ^ third;
    }

    /// <summary>a·b over GF(2) modulo the polynomial; the highest bit is x⁰, as in the checksum.</summary>
    private static uint Multiply(uint a, uint b)
    {
        var product = 0u;
        for (; a != 0; a <<= 1)
        {
            product ^= b & (uint)((int)a >> 31);
            b = (b >> 1) ^ (Polynomial & (0u - (b & 1)));
        }
        return product;
    }

    private static uint[] SquaresOfX()
    {
        // x^(2^k): 63 bits of a length, times 8.
        var squares = new uint[66];
        squares[0] = 1u << 30;
        for (var k = 1; k < squares.Length; k++)
            squares[k] = Multiply(squares[k - 1], squares[k - 1]);
        return squares;
    }
}

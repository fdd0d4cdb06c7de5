using System.Runtime.InteropServices;
using Merge.Compute.Cpu;
using Merge.Sdk;

namespace Host.Tests.Compute;

public class ConversionsTests
{
    public static TheoryData<int> Widths => new([16, 8, 4, 1, 0]);

    [Theory]
    [MemberData(nameof(Widths))]
    public void Every_bfloat16_is_read_exactly_and_written_back(int width)
    {
        var all = Enumerable.Range(0, 1 << 16).Select(i => (ushort)i).ToArray();
        var read = Convert<ushort, uint>(width, all, DType.BF16, DType.F32);
        Assert.All(all, i => Assert.Equal(Canonical((uint)i << 16), read[i]));
        var written = Convert<ushort, ushort>(width, all, DType.BF16, DType.BF16);
        Assert.All(all, i => Assert.Equal((ushort)(Canonical((uint)i << 16) >> 16), written[i]));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Every_half_is_read_exactly_and_written_back(int width)
    {
        var all = Enumerable.Range(0, 1 << 16).Select(i => (ushort)i).ToArray();
        var read = Convert<ushort, uint>(width, all, DType.F16, DType.F32);
        var written = Convert<ushort, ushort>(width, all, DType.F16, DType.F16);
        foreach (var i in all)
        {
            var half = BitConverter.UInt16BitsToHalf(i);
            Assert.Equal(Canonical(BitConverter.SingleToUInt32Bits((float)half)), read[i]);
            Assert.Equal(Half.IsNaN(half) ? (ushort)0x7e00 : i, written[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Float32_is_rounded_to_nearest_even_and_NaN_stays_NaN(int width)
    {
        var values = Interesting();
        var halves = Convert<uint, ushort>(width, values, DType.F32, DType.F16);
        var brains = Convert<uint, ushort>(width, values, DType.F32, DType.BF16);
        var singles = Convert<uint, uint>(width, values, DType.F32, DType.F32);
        var doubles = Convert<uint, double>(width, values, DType.F32, DType.F64);
        for (var i = 0; i < values.Length; i++)
        {
            var value = BitConverter.UInt32BitsToSingle(values[i]);
            Assert.Equal(float.IsNaN(value) ? (ushort)0x7e00 : BitConverter.HalfToUInt16Bits((Half)value), halves[i]);
            Assert.Equal(NearestBFloat16(values[i]), brains[i]);
            Assert.Equal(Canonical(values[i]), singles[i]);
            Assert.Equal(float.IsNaN(value) ? 0x7ff8000000000000 : BitConverter.DoubleToInt64Bits(value),
                BitConverter.DoubleToInt64Bits(doubles[i]));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Float64_is_rounded_to_float32_when_read(int width)
    {
        double[] values = [0, -0d, 1 / 3d, 1 + Math.Pow(2, -24), 1 + (3 * Math.Pow(2, -24)), 1e300, -1e300, 1e-46, 7e-46,
            double.NaN, double.PositiveInfinity, double.NegativeInfinity, float.MaxValue * (1 + Math.Pow(2, -25)), 1e-40];
        var read = Convert<double, uint>(width, values, DType.F64, DType.F32);
        for (var i = 0; i < values.Length; i++)
            Assert.Equal(Canonical(BitConverter.SingleToUInt32Bits((float)values[i])), read[i]);
    }

    private static uint Canonical(uint bits) =>
        float.IsNaN(BitConverter.UInt32BitsToSingle(bits)) ? 0x7fc00000 : bits;

    // By comparing distances: another way than the one under test.
    private static ushort NearestBFloat16(uint bits)
    {
        var value = BitConverter.UInt32BitsToSingle(bits);
        if (float.IsNaN(value))
            return 0x7fc0;
        var below = (ushort)(bits >> 16);
        var remainder = bits & 0xffff;
        if (remainder < 0x8000 || float.IsInfinity(value))
            return below;
        return remainder > 0x8000 || (below & 1) == 1 ? (ushort)(below + 1) : below;
    }

    /// <summary>Around every half's and every rounding tie's place, both signs, all special values.</summary>
    private static uint[] Interesting()
    {
        var values = new List<uint>();
        for (var high = 0u; high < 1 << 16; high++)
        {
            foreach (var low in (ReadOnlySpan<uint>)[0, 1, 0x7fff, 0x8000, 0x8001, 0xffff])
                values.Add((high << 16) | low);
        }
        for (var half = 0; half < 1 << 15; half++)
        {
            var here = BitConverter.SingleToUInt32Bits((float)BitConverter.UInt16BitsToHalf((ushort)half));
            var next = BitConverter.SingleToUInt32Bits((float)BitConverter.UInt16BitsToHalf((ushort)(half + 1)));
            var middle = here + ((next - here) / 2);
            values.AddRange([middle - 1, middle, middle + 1, middle | 0x80000000]);
        }
        return [.. values];
    }

    private static unsafe TTo[] Convert<TFrom, TTo>(int width, TFrom[] values, DType from, DType to)
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        var scan = Evaluate.Scan(1, values.Length);
        var bytes = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        var output = Evaluate.Run(new CpuCompiler(width, 0), scan, _ => (from, bytes), [(scan.Record(b => b.Models[0]), to)]);
        return MemoryMarshal.Cast<byte, TTo>(output[0]).ToArray();
    }
}

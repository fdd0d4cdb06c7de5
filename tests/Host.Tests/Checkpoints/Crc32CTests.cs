using FsCheck;
using FsCheck.Fluent;
using Merge.Checkpoints;

namespace Host.Tests.Checkpoints;

public class Crc32CTests
{
    // RFC 3720, B.4, and the check value of the CRC catalogue.
    public static readonly TheoryData<byte[], uint> Known = new()
    {
        { [], 0 },
        { "123456789"u8.ToArray(), 0xE3069283 },
        { new byte[32], 0x8A9136AA },
        { Enumerable.Repeat((byte)0xFF, 32).ToArray(), 0x62A8AB43 },
        { Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(), 0x46DD794E },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void Known_checksums_come_out(byte[] bytes, uint checksum) =>
        Assert.Equal(checksum, Crc32C.Append(0, bytes));

    [Theory]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(1279)]
    [InlineData(24575)]
    [InlineData(24576)]
    [InlineData(24577)]
    [InlineData(100003)]
    public void Folding_and_interleaved_streams_give_what_bit_by_bit_division_gives(int length)
    {
        var bytes = Bytes(length, 7);
        Assert.Equal(BitByBit(bytes), Crc32C.Append(0, bytes));
        Assert.Equal(BitByBit(bytes), Crc32C.AppendByInstruction(0, bytes));
    }

    [Fact]
    public void Checksums_of_parts_combine_and_append_to_that_of_the_whole() =>
        Prop.ForAll(ArbMap.Default.ArbFor<(byte Seed, ushort Length, ushort Cut)>(), x =>
        {
            var bytes = Bytes(x.Length, x.Seed);
            var cut = x.Length == 0 ? 0 : x.Cut % x.Length;
            var whole = BitByBit(bytes);
            var first = Crc32C.Append(0, bytes.AsSpan(0, cut));
            return whole == Crc32C.Combine(first, Crc32C.Append(0, bytes.AsSpan(cut)), x.Length - cut)
                && whole == Crc32C.Append(first, bytes.AsSpan(cut));
        }).Check(Fixed.Replay());

    [Fact]
    public void Combining_is_associative_for_lengths_no_memory_holds() =>
        Prop.ForAll(ArbMap.Default.ArbFor<(uint A, uint B, uint C, uint LengthB, uint LengthC)>(), x =>
        {
            var (b, c) = ((long)x.LengthB << 29, (long)x.LengthC << 29);
            return Crc32C.Combine(Crc32C.Combine(x.A, x.B, b), x.C, c)
                == Crc32C.Combine(x.A, Crc32C.Combine(x.B, x.C, c), b + c);
        }).Check(Fixed.Replay());

    private static byte[] Bytes(int length, byte seed)
    {
        var bytes = new byte[length];
        var state = (uint)seed + 1;
        for (var i = 0; i < length; i++)
        {
            state = (state * 1664525) + 1013904223;
            bytes[i] = (byte)(state >> 24);
        }
        return bytes;
    }

    private static uint BitByBit(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        return ~crc;
    }
}

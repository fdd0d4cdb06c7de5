namespace Merge.Checkpoints.PyTorch;

/// <summary>The CRC-32 of zip archives: polynomial 0xEDB88320, reflected, inverted before and after.</summary>
internal static class ZipChecksum
{
    private const int BufferBytes = 1 << 16;

    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(i => OfByte((uint)i))];

    public static uint Of(CheckpointFile file, ZipMember member)
    {
        var buffer = new byte[(int)Math.Min(BufferBytes, member.Length)];
        var crc = uint.MaxValue;
        for (long done = 0; done < member.Length;)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, member.Length - done));
            file.Read(member.Start + done, part);
            foreach (var value in part)
                crc = Table[(byte)(crc ^ value)] ^ (crc >> 8);
            done += part.Length;
        }
        return ~crc;
    }

    private static uint OfByte(uint value)
    {
        for (var bit = 0; bit < 8; bit++)
            value = (value & 1) != 0 ? (value >> 1) ^ 0xEDB88320 : value >> 1;
        return value;
    }
}

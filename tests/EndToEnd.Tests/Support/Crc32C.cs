namespace EndToEnd.Tests.Support;

/// <summary>CRC-32C bit by bit, from its definition: reflected, polynomial 0x1EDC6F41.</summary>
internal static class Crc32C
{
    public static uint Of(byte[] bytes)
    {
        var crc = ~0u;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0x82F63B78 & (0 - (crc & 1)));
        }
        return ~crc;
    }
}

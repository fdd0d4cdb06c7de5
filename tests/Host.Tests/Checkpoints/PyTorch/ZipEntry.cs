using System.Text;

namespace Host.Tests.Checkpoints.PyTorch;

/// <summary>A member of an archive, with every field to be bent.</summary>
internal sealed record ZipEntry(string Name, byte[] Data)
{
    /// <summary>PyTorch's: sizes and checksum follow the data (8), names are UTF-8 (0x800).</summary>
    public const ushort UsualFlags = 0x808;

    public ushort Flags { get; init; } = UsualFlags;

    public ushort Method { get; init; }

    public uint? Crc { get; init; }

    /// <summary>What the directory says of the bytes unpacked.</summary>
    public long? Size { get; init; }

    /// <summary>Where the directory says the local header is; nothing is written then.</summary>
    public long? At { get; init; }

    /// <summary>Whether the directory's sizes and place are 64-bit fields.</summary>
    public bool IsWide { get; init; }

    /// <summary>Local header, data, and what follows them.</summary>
    public byte[] Local()
    {
        var bytes = new MemoryStream();
        var writer = new BinaryWriter(bytes);
        var name = Encoding.UTF8.GetBytes(Name);
        var isLater = (Flags & 8) != 0;
        writer.Write(0x04034b50);
        writer.Write((ushort)20);
        writer.Write(Flags);
        writer.Write(Method);
        writer.Write(0);
        writer.Write(isLater ? 0 : Checksum);
        writer.Write(isLater ? 0 : Data.Length);
        writer.Write(isLater ? 0 : Data.Length);
        writer.Write((ushort)name.Length);
        writer.Write((ushort)0);
        writer.Write(name);
        writer.Write(Data);
        if (isLater)
        {
            writer.Write(0x08074b50);
            writer.Write(Checksum);
            writer.Write(Data.Length);
            writer.Write(Data.Length);
        }
        return bytes.ToArray();
    }

    /// <summary>Its entry in the directory.</summary>
    public byte[] Central(long at)
    {
        var bytes = new MemoryStream();
        var writer = new BinaryWriter(bytes);
        var name = Encoding.UTF8.GetBytes(Name);
        var size = Size ?? Data.Length;
        writer.Write(0x02014b50);
        writer.Write((ushort)20);
        writer.Write((ushort)20);
        writer.Write(Flags);
        writer.Write(Method);
        writer.Write(0);
        writer.Write(Checksum);
        writer.Write(IsWide ? uint.MaxValue : (uint)(Method == 0 ? size : Data.Length));
        writer.Write(IsWide ? uint.MaxValue : (uint)size);
        writer.Write((ushort)name.Length);
        writer.Write((ushort)(IsWide ? 28 : 0));
        writer.Write((ushort)0);
        writer.Write((ushort)0);
        writer.Write((ushort)0);
        writer.Write(0);
        writer.Write(IsWide ? uint.MaxValue : (uint)at);
        writer.Write(name);
        if (IsWide)
        {
            writer.Write((ushort)1);
            writer.Write((ushort)24);
            writer.Write(size);
            writer.Write(size);
            writer.Write(at);
        }
        return bytes.ToArray();
    }

    private uint Checksum => Crc ?? ~Data.Aggregate(uint.MaxValue, (crc, value) =>
    {
        crc ^= value;
        for (var bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
        return crc;
    });
}

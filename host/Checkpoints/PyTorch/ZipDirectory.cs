using System.Buffers.Binary;
using System.Text;
using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>A stored member of a zip archive: a run of bytes of the file.</summary>
/// <param name="Name">With its folders, as the archive has it.</param>
/// <param name="Start">Its first byte, from the start of the file.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Crc">The checksum the directory gives; 0 also where its writer took none.</param>
internal sealed record ZipMember(string Name, long Start, long Length, uint Crc);

/// <summary>
/// The directory of a zip archive, zip64 included, checked so that its members can be read in place: each is stored (not
/// compressed, not encrypted), lies within the archive, overlaps no other, and has a name of its own that stays inside.
/// </summary>
/// <remarks>APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.14 to 4.3.16.</remarks>
internal sealed class ZipDirectory
{
    private const uint EndSignature = 0x06054b50, End64Signature = 0x06064b50, Locator64Signature = 0x07064b50;
    private const uint EntrySignature = 0x02014b50, LocalSignature = 0x04034b50;
    private const int EndBytes = 22, End64Bytes = 56, Locator64Bytes = 20, EntryBytes = 46, LocalBytes = 30;

    /// <summary>A checkpoint's tensors take about a hundred bytes each.</summary>
    private const long LongestDirectory = 64L << 20;

    private readonly Dictionary<string, ZipMember> _members = new(StringComparer.Ordinal);
    private readonly CheckpointFile _file;
    private readonly long _start;
    private readonly long _length;

    private ZipDirectory(CheckpointFile file, long start, long length)
    {
        _file = file;
        _start = start;
        _length = length;
    }

    public IReadOnlyDictionary<string, ZipMember> Members => _members;

    /// <summary>Whether the first bytes are those of an archive.</summary>
    public static bool Begins(ReadOnlySpan<byte> bytes) => bytes.StartsWith("PK\x03\x04"u8);

    /// <param name="file">The file.</param>
    /// <param name="start">Where the archive begins in it.</param>
    /// <param name="length">The bytes of the archive.</param>
    /// <exception cref="MergeException">It is damaged, or not what torch.save writes.</exception>
    public static ZipDirectory Read(CheckpointFile file, long start, long length)
    {
        var directory = new ZipDirectory(file, start, length);
        var (at, size, count) = directory.FindEnd();
        directory.ReadEntries(at, size, count);
        return directory;
    }

    private (long Start, long Length, long Count) FindEnd()
    {
        var tail = new byte[(int)Math.Min(_length, EndBytes + ushort.MaxValue)];
        _file.Read(_start + _length - tail.Length, tail);
        var end = tail.Length - EndBytes;
        while (end >= 0 && !(UInt32(tail, end) == EndSignature && UInt16(tail, end + 20) == tail.Length - end - EndBytes))
            end--;
        if (end < 0)
            throw Damaged("the archive has no end: the file is cut off", _length);
        var endAt = _length - tail.Length + end;
        if (UInt16(tail, end + 4) is not (0 or ushort.MaxValue))
            throw Damaged("the archive is one of several parts", endAt);
        var (count, size, at) = ((long)UInt16(tail, end + 10), (long)UInt32(tail, end + 12), (long)UInt32(tail, end + 16));
        var last = endAt;
        if (endAt >= Locator64Bytes + End64Bytes && Bytes(endAt - Locator64Bytes, Locator64Bytes) is var locator
            && UInt32(locator, 0) == Locator64Signature)
        {
            last = Int64(locator, 8);
            if (last < 0 || last > endAt - Locator64Bytes - End64Bytes || Bytes(last, End64Bytes) is not { } end64
                || UInt32(end64, 0) != End64Signature)
            {
                throw Damaged("the archive's zip64 end is not where it is said to be", endAt - Locator64Bytes);
            }
            // What the older end can hold it repeats; readers that believe the one or the other must see the same archive.
            if (!Agrees(count, Int64(end64, 32), ushort.MaxValue) || !Agrees(size, Int64(end64, 40), uint.MaxValue)
                || !Agrees(at, Int64(end64, 48), uint.MaxValue))
            {
                throw Damaged("the archive's end and its zip64 end disagree about the directory", endAt);
            }
            (count, size, at) = (Int64(end64, 32), Int64(end64, 40), Int64(end64, 48));
        }
        if (size < 0 || at < 0 || size > last || at > last - size)
            throw Damaged($"the archive's directory, {size} bytes at {at}, is not within the archive", endAt);
        if (size > LongestDirectory || count < 0 || count > size / EntryBytes)
            throw Damaged($"the archive's directory claims {count} members in {size} bytes", endAt);
        return (at, size, count);
    }

    private static bool Agrees(long value, long wide, long mark) => value == mark || value == wide;

    private void ReadEntries(long start, long length, long count)
    {
        var bytes = Bytes(start, (int)length);
        var at = 0;
        var spans = new List<(long Start, long End, string Name)>();
        for (long i = 0; i < count; i++)
        {
            if (at > bytes.Length - EntryBytes || UInt32(bytes, at) != EntrySignature)
                throw Damaged($"the archive's directory ends after {i} of {count} members", start + at);
            var (nameLength, extra, comment) = (UInt16(bytes, at + 28), UInt16(bytes, at + 30), UInt16(bytes, at + 32));
            var end = at + EntryBytes + nameLength + extra + comment;
            if (end > bytes.Length)
                throw Damaged("a member of the archive's directory is longer than the directory", start + at);
            var name = Encoding.UTF8.GetString(bytes, at + EntryBytes, nameLength);
            CheckName(name, start + at);
            if ((UInt16(bytes, at + 8) & 1) != 0)
                throw Damaged($"the member '{PickleText.Shown(name)}' is encrypted", start + at);
            if (UInt16(bytes, at + 10) != 0)
            {
                if (TorchScript.IsCode(name))
                    throw TorchScript.Refused(_file.Path);
                throw Problem(
                    $"the member '{PickleText.Shown(name)}' is compressed",
                    "stored members, which are read in place: torch.save writes no others",
                    start + at,
                    "Load the file in Python and save it again with torch.save.");
            }
            var (stored, size, local) = Sizes(bytes.AsSpan(at, end - at - comment), EntryBytes + nameLength);
            if (stored != size)
                throw Damaged($"the member '{PickleText.Shown(name)}' is stored as {stored} bytes and has {size}", start + at);
            var data = FindData(name, local, size, start);
            if (!_members.TryAdd(name, new ZipMember(name, _start + data, size, UInt32(bytes, at + 16))))
                throw Damaged($"the member '{PickleText.Shown(name)}' is there twice", start + at);
            spans.Add((local, data + size, name));
            at = end;
        }
        spans.Sort((a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : a.End.CompareTo(b.End));
        for (var i = 1; i < spans.Count; i++)
        {
            if (spans[i].Start < spans[i - 1].End)
            {
                throw Damaged(
                    $"the members '{PickleText.Shown(spans[i - 1].Name)}' and '{PickleText.Shown(spans[i].Name)}' overlap",
                    spans[i].Start);
            }
        }
    }

    // Nothing is unpacked, but a name that leads elsewhere is the work of nobody with a good purpose.
    private void CheckName(string name, long at)
    {
        var isFolder = name.EndsWith('/');
        if (name.Length == 0 || name[0] == '/' || name.Contains('\\') || name.Any(char.IsControl)
            || (isFolder ? name[..^1] : name).Split('/').Any(part => part is "" or "." or ".."))
        {
            throw Damaged($"the member name '{PickleText.Shown(name)}' does not stay inside the archive", at);
        }
    }

    /// <summary>The member's bytes in the archive, its bytes unpacked, and where its local header is.</summary>
    private (long Stored, long Size, long Local) Sizes(ReadOnlySpan<byte> entry, int extra)
    {
        long stored = UInt32(entry, 20), size = UInt32(entry, 24), local = UInt32(entry, 42);
        for (var at = extra; at <= entry.Length - 4; at += 4 + UInt16(entry, at + 2))
        {
            if (UInt16(entry, at) != 1)
                continue;
            // Only the fields that did not fit are there, in this order.
            var field = at + 4;
            var end = Math.Min(field + UInt16(entry, at + 2), entry.Length);
            Widen(entry, ref size, ref field, end);
            Widen(entry, ref stored, ref field, end);
            Widen(entry, ref local, ref field, end);
            break;
        }
        return (stored, size, local);
    }

    private static void Widen(ReadOnlySpan<byte> entry, ref long value, ref int field, int end)
    {
        if (value != uint.MaxValue || field > end - 8)
            return;
        value = Int64(entry, field);
        field += 8;
    }

    private long FindData(string name, long local, long size, long directory)
    {
        if (local >= 0 && local <= directory - LocalBytes && Bytes(local, LocalBytes) is var header
            && UInt32(header, 0) == LocalSignature)
        {
            var data = local + LocalBytes + UInt16(header, 26) + UInt16(header, 28);
            var isNamed = UInt16(header, 26) is var length && length <= directory - local - LocalBytes
                && Encoding.UTF8.GetString(Bytes(local + LocalBytes, length)) == name;
            if (isNamed && UInt16(header, 8) == 0 && size >= 0 && data <= directory && size <= directory - data)
                return data;
        }
        throw Damaged($"the member '{PickleText.Shown(name)}' is not where the archive's directory says", local);
    }

    private byte[] Bytes(long at, int count)
    {
        var bytes = new byte[count];
        _file.Read(_start + at, bytes);
        return bytes;
    }

    private MergeException Damaged(string found, long at) =>
        Problem(found, null, at, "The file is damaged or is no file of torch.save: download or write it again.");

    private MergeException Problem(string found, string? expected, long at, string fix) => new(new Diagnostic(found)
    {
        Where = $"{_file.Path}, byte {_start + at}",
        Expected = expected,
        Fix = fix,
    });

    private static ushort UInt16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint UInt32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long Int64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
}

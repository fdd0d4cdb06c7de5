using System.Buffers.Binary;
using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>
/// Part of a file read byte by byte from its start. What is asked for is checked against what is left before it is
/// allocated.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="start">Its first byte, from the start of the file.</param>
/// <param name="length">Bytes it may take at most.</param>
internal sealed class PickleStream(CheckpointFile file, long start, long length)
{
    private const int BufferBytes = 1 << 16;

    private readonly byte[] _buffer = new byte[(int)Math.Min(BufferBytes, Math.Max(length, 1))];
    private readonly long _start = start;
    private readonly long _end = start + length;
    private long _bufferStart = start;
    private int _filled;
    private int _next;

    public CheckpointFile File => file;

    /// <summary>The next byte, from the start of the file.</summary>
    public long Position => _bufferStart + _next;

    public long Left => _end - Position;

    /// <summary>Bytes before the next.</summary>
    public long Passed => Position - _start;

    public byte ReadByte()
    {
        if (_next == _filled)
            Fill();
        return _buffer[_next++];
    }

    public byte[] ReadBytes(long count)
    {
        if (count > Left)
            throw CutOff($"{count} more bytes");
        var bytes = new byte[count];
        var buffered = (int)Math.Min(count, _filled - _next);
        _buffer.AsSpan(_next, buffered).CopyTo(bytes);
        _next += buffered;
        if (buffered < count)
        {
            file.Read(Position, bytes.AsSpan(buffered));
            Restart(Position + count - buffered);
        }
        return bytes;
    }

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(ReadBytes(2));

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(ReadBytes(4));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(ReadBytes(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(ReadBytes(8));

    /// <summary>The bytes up to the next line feed, which is passed over.</summary>
    public byte[] ReadLine(int most)
    {
        var line = new List<byte>();
        while (true)
        {
            var next = ReadByte();
            if (next == (byte)'\n')
                return [.. line];
            if (line.Count == most)
                throw Problem($"a line of more than {most} bytes", null, Position);
            line.Add(next);
        }
    }

    /// <summary>Passes over bytes without reading them.</summary>
    public void Skip(long count)
    {
        if (count > Left)
            throw CutOff($"{count} more bytes");
        Restart(Position + count);
    }

    /// <summary>What is wrong at a byte of the file.</summary>
    public MergeException Problem(string found, string? expected, long at, string? fix = null) => new(new Diagnostic(found)
    {
        Where = $"{file.Path}, byte {at}",
        Expected = expected,
        Fix = fix ?? "The file is damaged or is no file of torch.save: download or write it again.",
    });

    private MergeException CutOff(string expected) => Problem("the pickle is cut off", expected, Position);

    private void Restart(long at)
    {
        _bufferStart = at;
        _filled = _next = 0;
    }

    private void Fill()
    {
        Restart(Position);
        var count = (int)Math.Min(_buffer.Length, _end - _bufferStart);
        if (count <= 0)
            throw CutOff("more bytes: it has no end");
        file.Read(_bufferStart, _buffer.AsSpan(0, count));
        _filled = count;
    }
}
